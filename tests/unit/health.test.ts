import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { judge, type PathHealth, type Sample, type Seen } from '../../client/scripts/lib/health.ts';

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

/** A tunnel whose proxy is dead, from when it asks for a handshake, which it goes on doing. */
const asksInVain = (seconds: number): Step[] =>
  Array.from({ length: seconds }, (_, i) => ({ sent: i % 5 === 0 ? 148 : 0 }));

test('a handshake is fresh for 180 s, and a new one makes the path good again', () => {
  assert.deepEqual(outs([]), [undefined]);
  const dead = [...repeat(165, {}), ...asksInVain(22)];
  assert.equal(outs(dead)[170], undefined);
  assert.equal(last(outs(dead)), 'stale');
  assert.equal(last(outs([...dead, { handshake: true, received: 92 }])), undefined);
  assert.deepEqual(outs([], 181), ['stale']);
  assert.deepEqual(outs(repeat(99, {}), 500), Array(100).fill('stale'));
  // Never one.
  assert.deepEqual(outs([], EPOCH), ['stale']);
});

test('an idle session that the proxy began is renewed only when something is sent: its age alone is no fault', () => {
  const idle = (second: number): Step => ({ sent: second % 25 === 0 && second < 180 ? 32 : 0 });
  const expired = Array.from({ length: 199 }, (_, i) => idle(i + 1));
  const renewed = [...expired, { sent: 148 }, { received: 92, handshake: true as const, sent: 32 }];
  assert.deepEqual(new Set(outs([...renewed, ...repeat(100, {})])), new Set([undefined]));
  // And its proxy is dead.
  assert.equal(last(outs([...expired, ...asksInVain(22)])), 'stale');
});

test('a tunnel that is new has one request for its first handshake', () => {
  const after = (sent: number) => {
    const seen = new Map([['wgnet1', { up: true, wg: { handshake: 0, received: 0, sent } }]]);
    return judge([], ['wgnet1'], { at: 1, epoch: EPOCH, seen })[0]?.out;
  };
  assert.deepEqual([0, 148, 296].map(after), [undefined, undefined, 'stale']);
});

test('data without an answer for over 25 s, and any answer ends it', () => {
  const asking = repeat(26, { sent: 100 });
  assert.equal(last(outs(asking)), undefined);
  assert.equal(last(outs([...asking, {}])), 'silent');
  assert.equal(last(outs([...asking, {}, { received: 32 }])), undefined);
  assert.equal(last(outs([...asking, {}, ...repeat(40, {})])), 'silent');
  // One packet beside the keepalives is enough, and counts from when it was seen.
  const idle = [...repeat(24, {}), { sent: 32 }, ...repeat(5, {})];
  assert.equal(last(outs([...idle, { sent: 96 }, ...repeat(25, {})])), undefined);
  assert.equal(last(outs([...idle, { sent: 96 }, ...repeat(26, {})])), 'silent');
  assert.equal(last(outs([...idle, { sent: 96 }, ...repeat(99, {})])), 'silent');
  assert.equal(last(outs([...idle, ...repeat(99, {})])), undefined);
});

test('of the answers to data that go out alone, one each 10 s, one may be lost', () => {
  const up = (lost: readonly number[], seconds: number) =>
    Array.from({ length: seconds }, (_, i) => {
      const answers = (i + 1) % 10 === 0 && !lost.includes(i + 1);
      return { sent: 1000, received: answers ? 32 : 0 };
    });
  assert.deepEqual(new Set(outs(up([30, 50, 80], 100))), new Set([undefined]));
  assert.equal(last(outs(up([30, 40, 50], 59))), 'silent');
});

test('answers that sum up to the size of many requests are answers; one or two requests are none', () => {
  const bytes = (received: number) => outs(repeat(60, { sent: 1000, received }));
  assert.deepEqual(new Set(bytes(592)), new Set([undefined]));
  assert.deepEqual(new Set(bytes(444)), new Set([undefined]));
  assert.equal(last(bytes(148)), 'silent');
  assert.equal(last(bytes(296)), 'silent');
});

test('a proxy that hears nothing, and asks for handshakes, has not answered', () => {
  const deaf = Array.from({ length: 27 }, (_, i) => ({ sent: 100, received: i % 5 === 0 ? 148 : 0 }));
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
  assert.equal(last(outs([{ clock: -7200 }, ...repeat(165, {}), ...asksInVain(22)])), 'stale');
  // A handshake between two looks, and the clock set right behind it.
  assert.equal(
    last(outs([{ handshake: true, received: 92 }, { clock: 3600 }, ...repeat(100, {})])),
    undefined,
  );
});

test('a clock that was set before the first look: any answer ends what it makes of the handshake, for good', () => {
  const found = outs([{}, { sent: 500, received: 96 }, ...repeat(170, {})], 10 + 300);
  assert.deepEqual(found.slice(0, 2), ['stale', 'stale']);
  assert.deepEqual(new Set(found.slice(2)), new Set([undefined]));
  // A request is no answer.
  assert.equal(last(outs([{ sent: 500, received: 148 }], 310)), 'stale');
});

const steps = fc.array(
  fc.record({ sent: fc.nat(3000), received: fc.nat(3000), up: fc.constant(false) }, { requiredKeys: [] }),
  { maxLength: 60 },
);

test('in general: a path is left out where it is down or silent for over 25 s, and only there', () => {
  fc.assert(
    fc.property(steps, (made) => {
      const found = outs(made);
      for (const [i, out] of found.entries()) {
        const past = made.slice(0, i);
        const heard = past.findLastIndex(
          ({ received = 0, up }) => up === false || received % 148 !== 0 || received > 296,
        );
        const since = past.slice(heard + 1);
        if (past.at(-1)?.up === false) assert.equal(out, 'gone');
        else if (since.length <= 25) assert.equal(out, undefined);
        else if (since.slice(0, -26).some(({ sent = 0 }) => sent > 200)) assert.equal(out, 'silent');
        else if (since.every(({ sent = 0 }) => sent === 0)) assert.equal(out, undefined);
      }
    }),
  );
});
