/** What a command does when nobody takes what it writes. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { after, test } from 'node:test';

const folder = mkdtempSync(join(tmpdir(), 'comps-output-'));
after(() => rmSync(folder, { recursive: true }));

const TSX = '--import=tsx';

for (const words of [
  ['client/scripts/schedule.ts', '--paths', '2', '--seed', '1'],
  ['client/scripts/migrate.ts', '--interfaces', 'wgnet1,wgnet2', '--seed', '1', '--plan', '5'],
])
  test(`${words[0]}: a full disk behind \`>\` is told, and is no success`, async () => {
    const full = openSync('/dev/full', 'w');
    const child = spawn('node', [TSX, ...words], { stdio: ['ignore', full, 'pipe'] });
    closeSync(full);
    let said = '';
    child.stderr?.on('data', (text) => {
      said += String(text);
    });
    const [code] = await once(child, 'close');
    assert.equal(code, 2, said);
    assert.match(said, /ENOSPC|no space left/i);
  });

test('a reader of standard error that goes away ends nothing', async () => {
  const script = join(folder, 'talker.mts');
  const cli = resolve('client/scripts/lib/command.ts');
  writeFileSync(
    script,
    `import { command, main } from ${JSON.stringify(cli)};
     await main(command('talker', 'talks').action(async () => {
       process.stderr.write('first\\n');
       for await (const _ of process.stdin);
       for (let n = 0; n < 3; n++) {
         process.stderr.write('more\\n');
         await new Promise((resolve) => setTimeout(resolve, 10));
       }
       console.log('to its end');
     }));`,
  );
  const child = spawn('node', [TSX, script], { stdio: 'pipe' });
  let out = '';
  child.stdout.on('data', (text) => {
    out += String(text);
  });
  await once(child.stderr, 'data');
  child.stderr.destroy();
  await once(child.stderr, 'close');
  child.stdin.end();
  const [code] = await once(child, 'close');
  assert.deepEqual([code, out], [0, 'to its end\n']);
});
