import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import fc from 'fast-check';
import { readWhole } from '../../client/scripts/lib/files.ts';
import { openSchedule, periodOf, repeated } from '../../client/scripts/lib/replay.ts';

const folder = mkdtempSync(join(tmpdir(), 'comps-replay-'));
after(() => rmSync(folder, { recursive: true }));

/** A file with these lines. */
function fileOf(...lines: object[]): string {
  const file = join(folder, 'schedule.jsonl');
  writeFileSync(file, lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
  return file;
}

const heading = (interfaces: string[], period?: number) => ({ event: 'plan', interfaces, period });
const entry = (n: number, at: number, path: string) => ({ event: 'entry', n, at, path });

test('a file is read; one over anything but tunnels is refused before a route leads there', () => {
  const good = openSchedule(
    fileOf(heading(['wgnet2', 'wgnet1'], 0.1), entry(0, 0, 'wgnet1'), entry(1, 0.1, 'wgnet2')),
  );
  assert.deepEqual(good.entries, [
    { n: 0, at: 0, path: 1 },
    { n: 1, at: 0.1, path: 0 },
  ]);
  assert.throws(() => openSchedule(fileOf(heading(['wgnet1', 'eth0']), entry(0, 0, 'eth0'))), {
    name: 'Fault',
    message: /schedule\.jsonl:1: "eth0" is not the name of a tunnel/,
  });
  assert.throws(() => openSchedule(join(folder, 'none')), { name: 'Fault', message: /^--schedule: ENOENT/ });
});

test('what has no end is not read to its end: a device, a folder, too large a file; a pipe is', () => {
  const refused = (path: string, message: RegExp): void =>
    assert.throws(() => openSchedule(path), { name: 'Fault', message });
  refused('/dev/zero', /^--schedule: \/dev\/zero is neither a file nor a pipe$/);
  refused(folder, /is a folder$/);
  const file = join(folder, 'ten');
  writeFileSync(file, 'ab\u00e9defghi');
  assert.equal(readWhole(file, 'x', 10), 'ab\u00e9defghi');
  assert.throws(() => readWhole(file, 'x', 9), {
    name: 'Fault',
    message: /^x: .*ten has more than 9 bytes$/,
  });
  const pipe = join(folder, 'pipe');
  execFileSync('mkfifo', [pipe]);
  const writer = spawn('sh', ['-c', 'cat "$0" "$0" >"$1"', file, pipe], { stdio: 'ignore' });
  assert.equal(readWhole(pipe, 'x'), 'ab\u00e9defghi'.repeat(2));
  writer.unref();
});

test('a log that was cut off is carried out up to there, with a word', () => {
  const log = fileOf({ ...heading(['wgnet1', 'wgnet2'], 1), event: 'start' }, { ...entry(0, 0, 'wgnet2') });
  appendFileSync(log, '{"event":');
  const said: string[] = [];
  assert.equal(openSchedule(log, (words) => void said.push(words)).entries.length, 1);
  assert.match(said.join(), /schedule\.jsonl:3: is cut off, and left out$/);
});

test('a period is told only where the entries keep to it', () => {
  const of = (period: number | undefined, ...times: number[]) =>
    periodOf({
      heading: { event: 'plan', interfaces: ['wgnet1'], period },
      interfaces: ['wgnet1'],
      entries: times.map((at, n) => ({ n, at, path: 0 })),
    });
  assert.equal(of(0.1, 0, 0.1, 0.2, 0.3), 0.1);
  assert.equal(of(0.1, 0, 0.1, 0.25), undefined);
  assert.equal(of(undefined, 0, 0.1), undefined);
});

test('repeated: the same paths again and again, numbers and times that go on, the last gap once more', () => {
  const entries = [
    { n: 0, at: 0, path: 1 },
    { n: 1, at: 0.5, path: 0 },
    { n: 2, at: 0.7, path: 2 },
  ];
  const list: unknown[] = [];
  for (const one of repeated({ entries })) if (list.push(one) === 7) break;
  assert.deepEqual(list, [
    ...entries,
    { n: 3, at: 0.9, path: 1 },
    { n: 4, at: 1.4, path: 0 },
    { n: 5, at: 1.6, path: 2 },
    { n: 6, at: 1.8, path: 1 },
  ]);
  assert.throws(() => repeated({ entries: entries.slice(0, 1) }), { name: 'Fault', message: /^--repeat: / });
  const times = fc.uniqueArray(fc.nat(1e6), { minLength: 2, maxLength: 20 });
  fc.assert(
    fc.property(times, (all) => {
      const made = all.sort((a, b) => a - b).map((ms, n) => ({ n, at: ms / 1000, path: n % 3 }));
      let [n, at, count] = [-1, -1, 0];
      for (const next of repeated({ entries: made })) {
        assert.ok(next.n > n && next.at > at);
        assert.equal(next.path, made[count % made.length]?.path);
        [n, at] = [next.n, next.at];
        if (++count === 50) break;
      }
    }),
  );
});
