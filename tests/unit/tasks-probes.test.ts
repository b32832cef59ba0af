import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { file } from '../../scripts/lib/tasks/file.ts';
import { wireguardPackages } from '../../scripts/lib/tasks/package.ts';
import { attempt } from '../../scripts/lib/transport/local.ts';

test('a file is seen byte by byte as it is, whoever on the host reads it: the shell, or cat', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'comps-file-'));
  try {
    const path = join(folder, "it's");
    const { probe } = file('any', { path, mode: '600', text: () => '' });
    const seen = async (): Promise<string> => {
      const { code, stdout, stderr } = await attempt(['sh', '-s'], { input: `LC_ALL=C\n${probe}\n` });
      assert.equal(code, 0, stderr);
      return stdout;
    };
    assert.equal(await seen(), '');
    for (const text of [
      '',
      'a',
      'a\n',
      '\n\n',
      ' a \\n\\c\t\n\n b \n\n',
      '-n\n',
      '%s\r\n',
      'NUL\0 in it\n',
      'é …\n',
      'x\n'.repeat(5000),
    ]) {
      writeFileSync(path, text, { mode: 0o600 });
      const said = await seen();
      assert.match(said, /^600 \S+ regular (empty )?file\n/);
      assert.equal(said.slice(said.indexOf('\n') + 1), text);
    }
    writeFileSync(join(folder, 'other'), 'a\n');
    rmSync(path);
    symlinkSync('other', path);
    assert.match(await seen(), /^777 \S+ symbolic link\na\n$/);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('the packages’ probe counts what is wholly installed, as dpkg-query tells it', async () => {
  const { stdout } = await attempt(['dpkg-query', '-W', '-f', `\${db:Status-Status} \${Package}\\n`]);
  const installed = new Set(stdout.split('\n').map((line) => /^installed (.*)/.exec(line)?.[1]));
  const { stdout: seen } = await attempt(['sh', '-s'], { input: wireguardPackages().probe });
  const expected = ['wireguard-tools', 'nftables'].filter((name) => installed.has(name));
  assert.deepEqual(
    seen
      .split('\n')
      .filter((name) => name !== '' && name !== 'wireguard-go')
      .sort(),
    expected.sort(),
  );
});
