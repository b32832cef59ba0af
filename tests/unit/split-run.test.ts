import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { Clock } from '../../client/scripts/lib/clock.ts';
import { Fault } from '../../client/scripts/lib/fault.ts';
import { GONE, type SplitLine, splitUntil } from '../../client/scripts/lib/split-run.ts';

const LOOK_MS = 1000;

/** A split whose kernel is made up; `tick` lets it look once more. */
function begin(
  { mock }: TestContext,
  counts: Record<string, number> | undefined,
  kernel: { there: boolean; mend: () => string[] },
) {
  mock.timers.enable({ apis: ['setInterval'] });
  const stop = new AbortController();
  const lines: SplitLine[] = [];
  const warnings: string[] = [];
  const clock: Clock = {
    now: () => 0,
    epoch: () => 1000,
    follow: () => 0,
    until: (_, signal) =>
      new Promise((resolve) => {
        if (signal.aborted) resolve();
        signal.addEventListener('abort', () => resolve());
      }),
  };
  const reason = splitUntil(
    { interfaces: ['wgnet1', 'wgnet2'], runs: [{ path: 0, packets: 1 }], health: false },
    {
      ...{ clock, routes: { send: () => undefined } },
      ...{ log: (line: SplitLine) => lines.push(line), warn: (text: string) => warnings.push(text) },
    },
    stop.signal,
    { begin: async () => kernel, clear: async () => ({ counts }) },
  );
  // It begins before the first look.
  const tick = async (): Promise<void> => {
    await new Promise((resolve) => setImmediate(resolve));
    mock.timers.tick(LOOK_MS);
  };
  const errors = () => lines.flatMap((line) => (line.event === 'error' ? [line.message] : []));
  return { stop, lines, warnings, reason, tick, errors };
}

test('a split that is there to its end has its counters and no error', async (context) => {
  const { stop, reason, tick, lines, warnings } = begin(
    context,
    { wgnet1: 1 },
    { there: true, mend: () => [] },
  );
  await tick();
  await tick();
  stop.abort('stop');
  assert.equal(await reason, 'stop');
  assert.deepEqual(lines, [{ event: 'counts', packets: { wgnet1: 1 } }]);
  assert.deepEqual(warnings, []);
});

test('counters that nobody can read any more are an error, whatever made it end', async (context) => {
  const { stop, reason, tick, errors, lines } = begin(context, undefined, { there: true, mend: () => [] });
  await tick();
  stop.abort('stop');
  assert.equal(await reason, GONE);
  assert.equal(lines.length, 1);
  assert.match(errors()[0] ?? '', /^split gone: at its end there was none any more/);
});

test('without a watch over the paths as well, a table that is taken away ends it, and is told once', async (context) => {
  const kernel = { there: true, mend: () => [] };
  const { reason, tick, errors } = begin(context, undefined, kernel);
  await tick();
  kernel.there = false;
  await tick();
  assert.equal(await reason, GONE);
  assert.equal(errors().length, 1);
  assert.match(errors()[0] ?? '', /^split gone: its table was taken away/);
});

test('what was taken away and laid again is told each time; a split that cannot be looked at goes on', async (context) => {
  const looks: (() => string[])[] = [
    () => ['rule to 51901'],
    () => [],
    () => ['rule to 51901', 'table 51902'],
    () => {
      throw new Fault({ what: 'cannot run ip', next: 'apt-get install iproute2' });
    },
  ];
  const { stop, reason, tick, errors, warnings } = begin(
    context,
    { wgnet1: 1 },
    { there: true, mend: () => looks.shift()?.() ?? [] },
  );
  for (let i = 0; i < 5; i++) await tick();
  stop.abort('SIGTERM');
  assert.equal(await reason, 'SIGTERM');
  assert.deepEqual(errors(), [
    'the split had lost rule to 51901; laid again',
    'the split had lost rule to 51901, table 51902; laid again',
  ]);
  assert.match(warnings.at(-1) ?? '', /^wg0: nobody can see whether it is split: .*cannot run ip/);
});
