import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { inOrder, nextOf, type Result, reportIn, runFiles } from '../lanes.ts';
import { lastPage, skippedIn, slowest, troubleIn } from '../summary.ts';

const failed = (results: readonly Result[]): string[] =>
  results.filter(({ good }) => !good).map(({ path }) => path);

const [a, b, c] = [{ path: 'a', alone: 'x' }, { path: 'b', alone: 'x' }, { path: 'c' }] as const;

test('the next file: the first one that is not kept from running by one that runs', () => {
  assert.equal(nextOf([a, b, c], []), a);
  assert.equal(nextOf([b, c], [a]), c);
  assert.equal(nextOf([b, c], [c]), b);
  assert.equal(nextOf([b], [a]), undefined);
  assert.equal(nextOf([], []), undefined);
});

test('files that are named come first, in their order; the others stay as they were', () => {
  const paths = ['t/a.test.ts', 't/b.test.ts', 't/bb.test.ts', 't/c.test.ts'];
  assert.deepEqual(inOrder(paths, ['c', 'b', 'none']), [paths[3], paths[1], paths[0], paths[2]]);
});

test('each file is run, one that fails or is killed is named, and what each said comes as a whole', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'comps-lanes-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const file = (name: string, work: string, more = '') => {
    const path = join(folder, name);
    const text = `import { test } from 'node:test';\ntest('${name} is run', () => { ${work} });\n${more}`;
    writeFileSync(path, text);
    return { path };
  };
  const files = [
    file('good.test.mjs', ''),
    { ...file('brief.test.mjs', '', 'test("left", { skip: "no disk" }, () => {});'), brief: true },
    file('bad.test.mjs', 'throw new Error("no")'),
    file('killed.test.mjs', 'process.kill(process.pid, "SIGKILL")'),
    { path: join(folder, 'none.test.mjs'), brief: true },
  ];
  writeFileSync(files[4]?.path ?? '', '');
  const said = t.mock.method(console, 'log', () => {});
  const results = await runFiles(files, 2);
  const blocks = said.mock.calls.map((call) => String(call.arguments[0]));
  assert.deepEqual(
    failed(results).sort(),
    [2, 3, 4].map((i) => files[i]?.path),
  );
  assert.equal(blocks.length, 5);
  assert.equal(blocks.filter((block) => /^\S*brief\.test\.mjs: good, [\d.]+ s$/.test(block)).length, 1);
  for (const name of ['good', 'bad'])
    assert.equal(blocks.filter((block) => block.includes(`${name}.test.mjs is run`)).length, 1);
  // What Node's reporter really says of a failure is found again for the last page.
  const page = lastPage(results);
  assert.match(page, /bad\.test\.mjs[\s\S]*✖ failing tests:[\s\S]*bad\.test\.mjs is run[\s\S]*Error: no/);
  assert.doesNotMatch(page, /good\.test\.mjs is run/);
  assert.match(page, /none\.test\.mjs\S*\n+failed: it has no test/);
  assert.deepEqual(skippedIn(results), [`${files[1]?.path}: left # no disk`]);
});

test('what was skipped is known by name, coloured or not, and by its count at least', () => {
  const said = 'ℹ tests 9\n﹣ a b (0.6ms) # SKIP\n  ﹣ c (1ms) # no disk\n✖ d (2ms) # TODO\n✔ e (1ms)\n';
  const end = '\u001b[34mℹ tests 4\u001b[39m\nℹ suites 0\nℹ skipped 2\nℹ todo 1\n';
  assert.deepEqual(reportIn(said + end), { tests: 4, skipped: ['a b # SKIP', 'c # no disk', 'd # TODO'] });
  assert.deepEqual(reportIn(end), { tests: 4, skipped: ['3 tests'] });
  // Words of a test's own, where the reporter counts none.
  assert.deepEqual(reportIn('﹣ x\nℹ tests 1\nℹ skipped 0\n'), { tests: 1, skipped: [] });
  assert.deepEqual(reportIn(''), { tests: 0, skipped: [] });
});

test('a file that is told to stop ends all: those that wait are not begun', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'comps-lanes-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const paths = ['first', 'second'].map((name) => join(folder, `${name}.mjs`));
  for (const path of paths)
    writeFileSync(path, 'process.kill(process.pid, "SIGINT"); setInterval(() => {}, 1000);');
  const said = t.mock.method(console, 'log', () => {});
  await assert.rejects(
    runFiles(
      paths.map((path) => ({ path })),
      1,
    ),
    { code: 99 },
  );
  assert.equal(said.mock.callCount(), 1);
});

test('a file that hangs is ended, named as failed, and keeps nobody: neither it nor what it started', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'comps-lanes-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const hangs = join(folder, 'hangs.mjs');
  writeFileSync(
    hangs,
    `import { spawn } from 'node:child_process';
     const child = spawn('sleep', ['30'], { stdio: 'inherit' });
     console.log('sleeper ' + child.pid);
     process.on('SIGTERM', () => {}); setInterval(() => {}, 1000);`,
  );
  const good = join(folder, 'good.mjs');
  writeFileSync(good, "import { test } from 'node:test';\ntest('good', () => {});\n");
  const said = t.mock.method(console, 'log', () => {});
  assert.deepEqual(failed(await runFiles([{ path: hangs }, { path: good }], 1, 10_000, 500)), [hangs]);
  const blocks = said.mock.calls.map((call) => String(call.arguments[0]));
  assert.match(blocks[0] ?? '', /it was not over after 10 s/);
  process.kill(Number(/sleeper (\d+)/.exec(blocks[0] ?? '')?.[1]));
  assert.equal(blocks.length, 2);
});

test('the last page: the slowest first, and why a file failed, of no more lines than it may have', () => {
  const result = (path: string, ms: number): Result => ({ path, ms, good: true, said: '', skipped: [] });
  const lines = slowest([result('a', 1500), result('b', 61_000), result('c', 900)], 2);
  assert.deepEqual(lines, ['    61 s  b', '   1.5 s  a']);
  const said = [
    '✖ a test',
    '  its error',
    '',
    '✖ failing tests:',
    '',
    'test at a:1',
    '✖ a test',
    '  its error',
  ];
  assert.deepEqual(troubleIn(said.join('\n')), said.slice(3));
  assert.deepEqual(troubleIn(said.join('\n'), 3), [...said.slice(3, 6), '… and 2 lines more, above']);
  assert.deepEqual(troubleIn('1\n2\n3\n', 2), ['2', '3']);
});
