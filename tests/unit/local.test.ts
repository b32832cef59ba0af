import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { attempt, run } from '../../scripts/lib/transport/local.ts';

test('a command that reads its input meets the end of it, given or not', { timeout: 60_000 }, async () => {
  assert.equal(await run(['cat'], { input: 'a b\n' }), 'a b\n');
  assert.equal(await run(['cat'], { input: '' }), '');
  assert.equal(await run(['cat']), '');
});

test('a command that ends without reading its input is no more than its exit code', async () => {
  const input = 'x'.repeat(1_000_000);
  assert.equal((await attempt(['sh', '-c', 'exit 3'], { input })).code, 3);
  assert.equal((await attempt(['cat'], { input })).stdout, input);
});

test('exit code and both outputs of a command that fails; 127 of one that is not there', async () => {
  assert.deepEqual(await attempt(['sh', '-c', 'echo out; echo err >&2; exit 3']), {
    code: 3,
    stdout: 'out\n',
    stderr: 'err\n',
  });
  assert.equal((await attempt(['no-such-command-at-all'])).code, 127);
});

test("a command with input runs nobody's ~/.bashrc, whatever the level of the shell", async () => {
  const HOME = mkdtempSync(join(tmpdir(), 'local-'));
  after(() => rmSync(HOME, { recursive: true }));
  writeFileSync(join(HOME, '.bashrc'), 'echo bashrc\n');
  const { SHLVL: _, ...bare } = process.env;
  for (const env of [bare, { ...bare, SHLVL: '0' }, { ...bare, SHLVL: '3' }]) {
    const { stdout } = await attempt(['cat'], { input: 'x', env: { ...env, HOME } });
    assert.equal(stdout, 'x', `SHLVL=${env.SHLVL}`);
  }
});
