import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { judge, type PathHealth, type Seen } from '../../client/scripts/lib/health.ts';
import { judgeBlind } from '../../client/scripts/lib/health-blind.ts';
import { HealthWatch } from '../../client/scripts/lib/health-watch.ts';

const NAMES = ['wgnet1', 'wgnet2'];
const reasons = (paths: readonly PathHealth[]) => paths.map(({ out }) => out);
const sample = (at: number, seen: Record<string, Seen>) => ({
  ...{ at, epoch: 1_000_000 + at, seen: new Map(Object.entries(seen)) },
});
const up = { up: true, wg: undefined };
const fresh = (at: number) => ({ up: true, wg: { handshake: 1_000_000 + at, received: 1000, sent: 1000 } });

test('without wg a path that is there stays what it was, and one whose interface goes is left out', () => {
  const none = judgeBlind([], NAMES, sample(0, { wgnet1: up }));
  assert.deepEqual(reasons(none), [undefined, 'gone']);
  const seen = judge([], NAMES, sample(0, { wgnet1: fresh(0), wgnet2: fresh(-500) }));
  assert.deepEqual(reasons(seen), [undefined, 'stale']);
  const blind = judgeBlind(seen, NAMES, sample(1, { wgnet1: up, wgnet2: up }));
  assert.deepEqual(blind, seen);
  const gone = judgeBlind(blind, NAMES, sample(2, { wgnet2: up }));
  assert.deepEqual(reasons(gone), ['gone', 'stale']);
  assert.deepEqual(reasons(judgeBlind(gone, NAMES, sample(3, { wgnet1: up, wgnet2: up }))), [
    ...[undefined, 'stale'],
  ]);
  const again = judge(blind, NAMES, sample(4, { wgnet1: fresh(0), wgnet2: fresh(3) }));
  assert.deepEqual(reasons(again), [undefined, undefined]);
});

const folder = mkdtempSync(join(tmpdir(), 'comps-blind-'));
const path = process.env.PATH;
after(() => {
  process.env.PATH = path;
  rmSync(folder, { recursive: true });
});

const program = (name: string, text: string): void => {
  const file = join(folder, name);
  writeFileSync(`${file}.new`, `#!/bin/sh\n${text}\n`);
  chmodSync(`${file}.new`, 0o755);
  renameSync(`${file}.new`, file);
};
/** Interfaces that are up from now on. */
const links = (...names: string[]): void =>
  program('ip', names.map((name, i) => `echo '${i + 1}: ${name}: <UP>'`).join('\n') || ':');
const wg = (age: number): void =>
  program(
    'wg',
    `case $3 in transfer) cells='1000\t1000' ;; *) cells=${Math.floor(Date.now() / 1000) - age} ;; esac
printf 'wgnet1\\tKEY=\\t%s\\nwgnet2\\tKEY=\\t%s\\n' "$cells" "$cells"`,
  );

test('the watch goes on while wg is missing: said once an absence, and wg counts again when it is back', async () => {
  for (const tool of ['sh', 'timeout', 'sed', 'setpriv'])
    symlinkSync(execFileSync('which', [tool], { encoding: 'utf8' }).trim(), join(folder, tool));
  program('ping', ':');
  process.env.PATH = folder;
  links('wgnet1', 'wgnet2');
  wg(10);
  const said: string[] = [];
  let told: () => void = () => undefined;
  const watch = await HealthWatch.open(NAMES, {
    warn: (text) => said.push(text),
    changed: () => undefined,
    looked: () => told(),
  });
  /** After some look; asked at each. */
  const until = (holds: () => boolean): Promise<void> =>
    new Promise((resolve) => {
      told = () => holds() && resolve();
    });
  try {
    assert.deepEqual([...watch.out], []);
    for (const absence of [1, 2]) {
      rmSync(join(folder, 'wg'));
      await until(() => said.length === 2 * absence - 1);
      links('wgnet1');
      await until(() => watch.out.has(1));
      assert.deepEqual([...watch.out], [1]);
      links('wgnet1', 'wgnet2');
      await until(() => watch.out.size === 0);
      wg(500);
      await until(() => watch.out.has(1));
      assert.equal(said.length, 2 * absence);
      wg(1);
      await until(() => watch.out.size === 0);
    }
    assert.match(said[0] ?? '', /^wg is missing, .*; next: apt-get install wireguard-tools$/);
    assert.deepEqual(said, [said[0], 'wg is there again', said[0], 'wg is there again']);
  } finally {
    await watch.close();
  }
});
