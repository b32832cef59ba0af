import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Evidence, judge, LEAST_USE, type Verdict } from '../../client/scripts/lib/collect/judge.ts';
import type { Packet } from '../../client/scripts/lib/trace/pcap.ts';
import type { Check, Failure, FailureKind } from '../../client/scripts/lib/trace/record.ts';
import { BEGIN, back, evidence, MTU, out, path, switches } from '../collect-evidence.ts';

const wrong = ({ checks }: Verdict): string[] => checks.filter(({ ok }) => !ok).map(({ name }) => name);
const detail = ({ checks }: Verdict, name: Check['name']) =>
  checks.find((check) => check.name === name)?.detail;
const failure = (kind: FailureKind): Failure => ({ kind, message: `made up: ${kind}` });
const near = (found: number | undefined, expected: number) =>
  assert.ok(Math.abs((found ?? Number.NaN) - expected) < 2e-6, `${found} is not ${expected}`);

test('an honest visit is a success, with all its checks and totals', () => {
  const verdict = judge(evidence());
  assert.equal(verdict.failure, null);
  assert.equal(verdict.status, 'success');
  assert.deepEqual(
    verdict.checks.map(({ name, ok, detail }) => [name, ok, detail]),
    [
      ['leak', true, '0 packets past the tunnels'],
      ['tunnels', true, 'each path answered before and after'],
      ['captures', true, 'no packet was lost'],
      ['migration', true, '3 entries carried out'],
      ['page', true, 'loaded'],
      ['clock', true, 'every packet left by the path that the switch log has'],
      ['directions', true, '3 out, 4 in'],
      ['paths', true, 'packets on wgnet1, wgnet2'],
    ],
  );
  const [one, two] = verdict.totals;
  near(one?.in_force, 0.901 + 0.1);
  near(two?.in_force, 1.001);
  assert.deepEqual(
    { ...two, in_force: 0 },
    {
      ...{ interface: 'wgnet2', client_address: '10.45.0.6', packets_out: 1, packets_in: 2 },
      ...{ bytes_out: 100, bytes_in: 2800, in_force: 0 },
    },
  );
});

const paths = (one: Packet[], two: Packet[]) => [path(1, one), path(2, two)];
const SLOW = switches(
  [
    [0.9, 'wgnet1'],
    [1.9, 'wgnet2'],
    [2.9, 'wgnet1'],
  ],
  0.1,
);
const GOOD = [out(2.1), back(2.2)];

// What is wrong, what it is, and what is said of it.
const table: [string, Partial<Evidence>, FailureKind, Check['name'], RegExp][] = [
  ['a leak', { leaked: 1 }, 'leak', 'leak', /^1 packet left past the tunnels$/],
  ['leaks', { leaked: 2 }, 'leak', 'leak', /^2 packets left/],
  ['leaks that nobody counted', { leaked: null }, 'capture', 'leak', /past the tunnels were not counted/],
  ['a tunnel that does not answer', { silent: ['wgnet2'] }, 'tunnel', 'tunnels', /^wgnet2 does not answer/],
  ['tcpdump in trouble', { captures: failure('capture') }, 'capture', 'captures', /made up/],
  ['a capture too big', { captures: failure('too-big') }, 'too-big', 'captures', /made up/],
  [
    'a capture cut off',
    { paths: [path(1, [out(1.1), back(1.2)]), path(2, GOOD, true)] },
    'capture',
    'captures',
    /^the capture of wgnet2 is cut off/,
  ],
  [
    'a packet larger than can be',
    { paths: paths([out(1.1), back(1.2, MTU + 1)], GOOD) },
    'capture',
    'captures',
    /^on wgnet1 there are packets larger than its MTU/,
  ],
  ['migration in trouble', { migration: failure('migration') }, 'migration', 'migration', /made up/],
  ['entries that failed', { switchErrors: 2 }, 'migration', 'migration', /^2 of its entries failed/],
  [
    'a migrator that stood still',
    { skipped: 3, period: 0.1 },
    'migration',
    'migration',
    /^3 of 6 entries came too late and were left out/,
  ],
  ['a page that failed', { page: failure('http-status') }, 'http-status', 'page', /made up/],
  ['a clock that was set', { clockSteps: 1 }, 'clock', 'clock', /set the clock/],
  [
    'a packet on the other path',
    { paths: paths([out(1.1), back(1.2), out(2.4)], GOOD) },
    'clock',
    'clock',
    /^1 packet left by a path that was not in force/,
  ],
  [
    'packets before the start',
    { paths: paths([back(-0.06), back(-0.07), out(1.1), back(1.2)], GOOD) },
    'clock',
    'clock',
    /^2 packets outside the visit’s time/,
  ],
  [
    'a packet after the end',
    { paths: paths([out(1.1), back(1.2), back(4.06)], GOOD) },
    'clock',
    'clock',
    /^1 packet outside/,
  ],
  ['nothing back', { paths: paths([out(1.1)], [out(2.1)]) }, 'one-way', 'directions', /^2 out, 0 in$/],
  ['nothing out', { paths: paths([back(1.1)], [back(2.1)]) }, 'one-way', 'directions', /^0 out, 2 in$/],
  ['nothing at all', { paths: paths([], []) }, 'one-way', 'directions', /^0 out, 0 in$/],
  [
    'a path without a packet, while there were some to send',
    { switches: SLOW, paths: paths([out(1.1), back(1.2), out(1.99)], []) },
    'unused-path',
    'paths',
    /^wgnet2 was in force while packets were sent, and has none/,
  ],
];
for (const [what, changes, kind, check, said] of table)
  test(`${what}: ${kind}`, () => {
    const verdict = judge(evidence(changes));
    assert.deepEqual(wrong(verdict), [check]);
    assert.equal(verdict.failure?.kind, kind);
    assert.equal(verdict.status, 'failure');
    assert.match(verdict.failure?.message ?? '', said);
    assert.equal(detail(verdict, check), verdict.failure?.message);
  });

test('a short hiccup, or a small part of a long schedule, is no other schedule', () => {
  assert.equal(judge(evidence({ skipped: 2, period: 0.1 })).status, 'success');
  const many = switches(Array.from({ length: 200 }, (_, i) => [0.9 + i * 0.01, 'wgnet1'] as const));
  const paths = [path(1, [out(1.1), back(1.2)]), path(2, [])];
  assert.equal(judge(evidence({ switches: many, paths, skipped: 10, period: 0.1 })).status, 'success');
  assert.equal(judge(evidence({ switches: many, paths, skipped: 11, period: 0.1 })).status, 'failure');
});

test('a page that was not there in time is a timeout, if nothing else was wrong', () => {
  assert.equal(judge(evidence({ page: failure('timeout'), loaded: null })).status, 'timeout');
  assert.equal(judge(evidence({ page: failure('timeout'), leaked: 1 })).status, 'failure');
});

test('tools that fail before the page is asked for are no fault of a page; whatever else is wrong is', () => {
  const early = { navigated: null, loaded: null };
  for (const tool of [
    { captures: failure('capture') },
    { leaked: null },
    { migration: failure('migration') },
    { page: failure('crash') },
  ]) {
    assert.equal(judge(evidence({ ...early, ...tool })).failure?.kind, 'not-begun');
    assert.notEqual(judge(evidence({ ...tool })).failure?.kind, 'not-begun');
  }
  const { failure: told } = judge(evidence({ ...early, migration: failure('migration') }));
  assert.equal(told?.message, 'made up: migration');
  assert.equal(judge(evidence({ ...early, leaked: 1 })).failure?.kind, 'leak');
  assert.equal(judge(evidence({ ...early, captures: failure('too-big') })).failure?.kind, 'too-big');
});

test('of several failures the one that may have caused the others is told', () => {
  const all: [FailureKind, Partial<Evidence>][] = [
    ['leak', { leaked: 1 }],
    ['tunnel', { silent: ['wgnet1'] }],
    ['too-big', { captures: failure('too-big') }],
    ['migration', { migration: failure('migration') }],
    ['timeout', { page: failure('timeout') }],
    ['clock', { clockSteps: 1 }],
    ['one-way', { switches: SLOW, paths: paths([out(1.1), out(1.99)], []) }],
    ['unused-path', { switches: SLOW, paths: paths([out(1.1), back(1.2), out(1.99)], []) }],
  ];
  for (const [i, [kind]] of all.entries()) {
    // The last ones first, so that what comes before in the list has the last word on a key of both.
    const changes = Object.assign(
      {},
      ...all
        .slice(i)
        .map(([, each]) => each)
        .reverse(),
    );
    const verdict = judge(evidence(changes));
    assert.equal(verdict.failure?.kind, kind);
    assert.equal(wrong(verdict).length, all.length - i, `${kind}: ${wrong(verdict)}`);
  }
  assert.equal(judge(evidence({ leaked: null, silent: ['wgnet1'] })).failure?.kind, 'capture');
});

test('a path counts as used from a certain time in force on', () => {
  const unused = { switches: SLOW, paths: paths([out(1.1), back(1.2), out(1.99)], []) };
  const until = (loaded: number) => wrong(judge(evidence({ ...unused, loaded: BEGIN + 1.9 + loaded })));
  assert.deepEqual(until(LEAST_USE - 0.001), []);
  assert.deepEqual(until(LEAST_USE + 0.001), ['paths']);
  assert.deepEqual(wrong(judge(evidence({ ...unused, navigated: null }))), []);
});

test('a path on which the page was waiting is no fault, and is said', () => {
  const verdict = judge(evidence({ paths: paths([out(1.1), back(1.2), out(2.95), back(3)], []) }));
  assert.equal(verdict.status, 'success');
  assert.equal(detail(verdict, 'paths'), 'packets on wgnet1; on wgnet2 the page was waiting');
});

test('a path that sends on and on and hears nothing any more has fallen silent', () => {
  const after = (...times: number[]) => {
    const one = [out(1), back(1.05), ...times.map((at) => out(at))];
    return judge(evidence({ switches: switches([[0.9, 'wgnet1']]), paths: [path(1, one)] }));
  };
  assert.equal(after(1.1, 1.2, 1.3, 1.4).failure, null, 'not long enough');
  assert.equal(after(1.1, 1.2, 2.2).failure, null, 'too few');
  assert.equal(after(1.1, 1.2, 1.3, 2.09).failure, null, 'a little too short');
  const verdict = after(1.1, 1.2, 1.3, 2.11);
  assert.deepEqual(verdict.failure, { kind: 'one-way', message: 'wgnet1 fell silent' });
  assert.deepEqual(wrong(verdict), ['tunnels']);
});

test('a site that falls silent is no path that does: then others bring nothing either, or the page has failed', () => {
  const one = [out(1), back(1.05), out(1.1), out(1.2), out(1.3), out(2.11)];
  const silent = (two: Packet[], page?: Failure) =>
    judge(evidence({ switches: switches([[0.9, 'wgnet1']]), paths: [path(1, one), path(2, two)], page }))
      .failure?.kind;
  assert.equal(silent([back(1.5)]), 'one-way');
  assert.equal(silent([back(1.05), back(2.2)]), undefined);
  assert.equal(silent([back(1.5)], { kind: 'timeout', message: 'late' }), 'timeout');
});

test('a little before the start, or after the end, is within it: the clocks are not the same', () => {
  const one = [back(-0.04), out(1.1), back(1.2), back(4.04)];
  assert.equal(judge(evidence({ paths: paths(one, GOOD) })).failure, null);
});

test('packets as large as the MTU are none that the kernel has joined', () => {
  const one = [out(1.1, MTU), back(1.2, MTU)];
  assert.equal(judge(evidence({ paths: paths(one, GOOD) })).status, 'success');
});
