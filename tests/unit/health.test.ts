import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  detour,
  judge,
  type PathHealth,
  readLook,
  type Sample,
  type Seen,
} from '../../client/scripts/lib/health.ts';
import { healthLine, healthWords } from '../../client/scripts/lib/health-log.ts';

/** A tunnel's life, a second a step: what it has sent and received, and when its last handshake was. */
interface Step {
  sent?: number;
  received?: number;
  handshake?: true;
  up?: false;
  wg?: false;
  /** Seconds that somebody sets the clock by. */
  clock?: number;
}

const EPOCH = 1_700_000_000;

/** The state after each step; the first is a look at a tunnel with a fresh handshake. */
function live(steps: readonly Step[], age = 10): PathHealth[] {
  let [sent, received, epoch, made] = [5000, 9000, EPOCH, EPOCH - age];
  let health: PathHealth[] = [];
  return [{}, ...steps].map((step: Step, i) => {
    sent += step.sent ?? 0;
    received += step.received ?? 0;
    epoch += (i === 0 ? 0 : 1) + (step.clock ?? 0);
    if (step.handshake) made = epoch;
    const wg = step.wg === false ? undefined : { handshake: made, received, sent };
    const seen: Seen = { up: step.up ?? true, wg };
    const sample: Sample = { at: 100 + i, epoch, seen: new Map([['wgnet1', seen]]) };
    health = judge(health, ['wgnet1'], sample);
    return health[0] as PathHealth;
  });
}

const outs = (steps: readonly Step[], age?: number) => live(steps, age).map(({ out }) => out);
const repeat = (count: number, step: Step): Step[] => Array.from({ length: count }, () => step);
const last = <T>(list: readonly T[]): T | undefined => list.at(-1);

test('a handshake is fresh for 180 s, and a new one makes the path good again', () => {
  assert.deepEqual(outs([]), [undefined]);
  assert.equal(last(outs(repeat(170, {}))), undefined);
  assert.equal(last(outs(repeat(171, {}))), 'stale');
  assert.equal(last(outs([...repeat(300, {}), { handshake: true, received: 92 }])), undefined);
  assert.deepEqual(outs([], 181), ['stale']);
  // Never one.
  assert.deepEqual(outs([], EPOCH), ['stale']);
});

test('a tunnel that is new has one request for its first handshake', () => {
  const after = (sent: number) => {
    const seen = new Map([['wgnet1', { up: true, wg: { handshake: 0, received: 0, sent } }]]);
    return judge([], ['wgnet1'], { at: 1, epoch: EPOCH, seen })[0]?.out;
  };
  assert.deepEqual([0, 148, 296].map(after), [undefined, undefined, 'stale']);
});

test('data without an answer for over 15 s, and any answer ends it', () => {
  const asking = repeat(16, { sent: 100 });
  assert.equal(last(outs(asking)), undefined);
  assert.equal(last(outs([...asking, {}])), 'silent');
  assert.equal(last(outs([...asking, {}, { received: 32 }])), undefined);
  assert.equal(last(outs([...asking, {}, ...repeat(40, {})])), 'silent');
  // One packet beside the keepalives is enough, and counts from when it was seen.
  const idle = [...repeat(24, {}), { sent: 32 }, ...repeat(5, {})];
  assert.equal(last(outs([...idle, { sent: 96 }, ...repeat(15, {})])), undefined);
  assert.equal(last(outs([...idle, { sent: 96 }, ...repeat(16, {})])), 'silent');
  assert.equal(last(outs([...idle, { sent: 96 }, ...repeat(99, {})])), 'silent');
  assert.equal(last(outs([...idle, ...repeat(99, {})])), undefined);
});

test('a proxy that hears nothing, and asks for handshakes, has not answered', () => {
  const deaf = Array.from({ length: 17 }, (_, i) => ({ sent: 100, received: i % 5 === 0 ? 148 : 0 }));
  assert.equal(last(outs(deaf)), 'silent');
  assert.equal(last(outs([...deaf, { received: 148, handshake: true }])), undefined);
});

test('keepalives ask for no answer; an idle tunnel that renews its handshake is never left out', () => {
  const idle = (second: number): Step => ({
    sent: (second % 25 === 0 ? 32 : 0) + (second % 120 === 0 ? 148 : 0),
    ...(second % 120 === 1 && { received: 92, handshake: true as const }),
  });
  const outsThen = outs(Array.from({ length: 1000 }, (_, i) => idle(i + 1)));
  assert.deepEqual(new Set(outsThen), new Set([undefined]));
});

test('gone or down, and up again; counters that begin anew', () => {
  assert.deepEqual(outs([{ up: false }, {}]), [undefined, 'gone', undefined]);
  const [, , anew] = live([...repeat(1, { sent: 100 }), { sent: -5000, received: -9000, handshake: true }]);
  assert.equal(anew?.out, undefined);
  assert.equal(anew?.waitsSince, undefined);
});

test('what wg never knew is not judged; what it does not answer for any more is', () => {
  assert.deepEqual(outs([{ wg: false }, { wg: false }]), [undefined, 'unknown', 'unknown']);
  const veth = judge([], ['wgnet1'], {
    at: 1,
    epoch: 1,
    seen: new Map([['wgnet1', { up: true, wg: undefined }]]),
  });
  assert.equal(veth[0]?.out, undefined);
  assert.equal(judge([], ['wgnet1'], { at: 1, epoch: 1, seen: new Map() })[0]?.out, 'gone');
});

test('nobody who sets the clock makes a path look dead, or a dead one alive', () => {
  assert.equal(last(outs([{ clock: 7200 }])), undefined);
  assert.equal(
    last(outs([{ clock: 7200 }, ...repeat(50, {}), { handshake: true, received: 92 }, { clock: -9000 }])),
    undefined,
  );
  assert.equal(last(outs([{ clock: -7200 }, ...repeat(175, {})])), 'stale');
  // A handshake between two looks, and the clock set right behind it.
  assert.equal(
    last(outs([{ handshake: true, received: 92 }, { clock: 3600 }, ...repeat(100, {})])),
    undefined,
  );
});

const steps = fc.array(
  fc.record({ sent: fc.nat(3000), received: fc.nat(3000), up: fc.constant(false) }, { requiredKeys: [] }),
  { maxLength: 60 },
);

test('in general: a path is left out where it is down or silent for over 15 s, and only there', () => {
  fc.assert(
    fc.property(steps, (made) => {
      const found = outs(made);
      for (const [i, out] of found.entries()) {
        const past = made.slice(0, i);
        const heard = past.findLastIndex(({ received = 0, up }) => up === false || received % 148 !== 0);
        const since = past.slice(heard + 1);
        if (past.at(-1)?.up === false) assert.equal(out, 'gone');
        else if (since.length <= 15) assert.equal(out, undefined);
        else if (since.slice(0, -16).some(({ sent = 0 }) => sent > 200)) assert.equal(out, 'silent');
        else if (since.every(({ sent = 0 }) => sent === 0)) assert.equal(out, undefined);
      }
    }),
  );
});

test('a detour is no path that is left out while there is another, and the current one where it can be', () => {
  const out = new Set([1]);
  assert.equal(detour(0, 2, 3, out), 0);
  assert.equal(detour(1, 0, 3, out), 0);
  assert.equal(detour(1, 1, 3, out), 2);
  assert.equal(detour(1, undefined, 3, new Set([1, 2])), 0);
  assert.equal(detour(1, 2, 3, new Set([0, 1, 2])), 2);
  assert.equal(detour(1, undefined, 3, new Set([0, 1, 2])), 1);
  const paths = fc.integer({ min: 1, max: 9 });
  fc.assert(
    fc.property(
      paths,
      fc.nat(),
      fc.option(fc.nat(), { nil: undefined }),
      fc.array(fc.nat(8)),
      (n, p, c, o) => {
        const [planned, current, left] = [
          p % n,
          c === undefined ? undefined : c % n,
          new Set(o.filter((x) => x < n)),
        ];
        const used = detour(planned, current, n, left);
        assert.ok(used >= 0 && used < n);
        if (left.size < n) assert.ok(!left.has(used));
        if (!left.has(planned)) assert.equal(used, planned);
        else if (current !== undefined && (!left.has(current) || left.size === n))
          assert.equal(used, current);
      },
    ),
  );
});

test('what the watch prints is read: who is up, whom wg knows', () => {
  const text = [
    '1: lo: <LOOPBACK,UP,LOWER_UP> mtu 65536',
    '2: wgnet1: <POINTOPOINT,UP,LOWER_UP> mtu 1420',
    '5: wgnet2@if4: <UP> mtu 1420',
    '=',
    'wg0\tKEY=\t1700000001',
    'wgnet1\tKEY=\t1700000000',
    '=',
    'wg0\tKEY=\t1\t2',
    'wgnet1\tKEY=\t300\t4000',
    '',
  ].join('\n');
  assert.deepEqual(
    [...readLook(text, ['wgnet1', 'wgnet2', 'wgnet3'])],
    [
      ['wgnet1', { up: true, wg: { handshake: 1_700_000_000, received: 300, sent: 4000 } }],
      ['wgnet2', { up: true, wg: undefined }],
      ['wgnet3', { up: false, wg: undefined }],
    ],
  );
  assert.equal(readLook('=\n=\n', ['wgnet1']).get('wgnet1')?.up, false);
});

test('a change is a line of the log, and words for a person', () => {
  const names = ['wgnet1', 'wgnet2', 'wgnet3'];
  const change = {
    left: [{ path: 1, reason: 'silent' as const }],
    back: [0],
    out: new Set([1]),
    at: 0,
  };
  assert.deepEqual(healthLine(change, names, 5), {
    event: 'health',
    time: 5,
    out: ['wgnet2'],
    back: ['wgnet1'],
    healthy: ['wgnet1', 'wgnet3'],
  });
  assert.deepEqual(healthWords(change, names), [
    'wgnet2: nothing came back for 15 s; left out until it answers',
    'wgnet1: is back',
  ]);
  const none = healthWords({ ...change, back: [], out: new Set([0, 1, 2]) }, names);
  assert.match(none.at(-1) ?? '', /^no path has a fresh handshake; nothing gets out until one does/);
});
