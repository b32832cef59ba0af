import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  AT_ONCE,
  begun,
  createLimiter,
  delay,
  ended,
  holdAfter,
  IDLE,
  type Pace,
  PER_MINUTE,
} from '../../scripts/lib/digitalocean/limiter.ts';
import { backOff, waitBefore } from '../../scripts/lib/digitalocean/retry.ts';
import { type Answer, limitsOf } from '../../scripts/lib/digitalocean/wire.ts';
import { tellWaits } from '../../scripts/lib/steps/cloud.ts';
import { accountBody, json, oops, open } from '../digitalocean-server.ts';

/** A request that comes at a time, takes a while, and whose answer asks all to wait; in ms. */
interface Job {
  comes: number;
  takes: number;
  hold: number;
}

/** Runs all by the pure core, each as soon as it may; when each began and ended. */
function simulate(jobs: readonly Job[]): { began: number; ended: number; hold: number }[] {
  const queue = jobs.toSorted((a, b) => a.comes - b.comes);
  const under: { until: number; hold: number }[] = [];
  const done: { began: number; ended: number; hold: number }[] = [];
  let pace: Pace = IDLE;
  let now = 0;
  while (queue.length > 0) {
    const [next] = queue as [Job];
    const ms = next.comes > now ? next.comes - now : delay(pace, now);
    if (ms === 0) {
      queue.shift();
      pace = begun(pace, now);
      under.push({ until: now + next.takes, hold: next.hold });
      done.push({ began: now, ended: now + next.takes, hold: next.hold });
      continue;
    }
    under.sort((a, b) => a.until - b.until);
    const first = under[0];
    if (first !== undefined && first.until <= now + ms) {
      now = Math.max(now, first.until);
      under.shift();
      pace = ended(pace, now, first.hold);
    } else {
      assert.notEqual(ms, Number.POSITIVE_INFINITY, 'nothing is under way, and nothing may begin');
      now += ms;
    }
  }
  return done;
}

const job = (hold: fc.Arbitrary<number>): fc.Arbitrary<Job> =>
  fc.record({
    comes: fc.integer({ min: 0, max: 90_000 }),
    takes: fc.integer({ min: 1, max: 3000 }),
    hold,
  });
const holds = fc.oneof({ weight: 40, arbitrary: fc.constant(0) }, fc.integer({ min: 1, max: 20_000 }));

test('no minute has more than 240 requests, no moment more than 8, and none begins in a hold', () => {
  let most = 0;
  fc.assert(
    fc.property(fc.array(job(holds), { minLength: 1, maxLength: 900, size: 'max' }), (jobs) => {
      const done = simulate(jobs);
      assert.equal(done.length, jobs.length);
      const starts = done.map(({ began }) => began);
      most = Math.max(most, starts.length);
      for (const [i, at] of starts.entries()) {
        const next = starts[i + PER_MINUTE];
        assert.ok(
          next === undefined || next - at >= 60_000,
          `${PER_MINUTE + 1} within ${(next ?? 0) - at} ms`,
        );
        assert.ok(done.filter(({ began, ended }) => began <= at && at < ended).length <= AT_ONCE);
      }
      for (const { ended, hold } of done)
        if (hold > 0) assert.ok(!starts.some((at) => at > ended && at < ended + hold));
    }),
    { numRuns: 60, endOnFailure: true },
  );
  assert.ok(most > PER_MINUTE, String(most));
});

test('nobody waits without a reason', () => {
  let waited = 0;
  // So few that only those under way can be in the way.
  const few = fc.array(job(fc.constant(0)), { minLength: 20, maxLength: PER_MINUTE, size: 'max' });
  fc.assert(
    fc.property(few, (jobs) => {
      const crowd = jobs.map((one) => ({ ...one, comes: one.comes % 5000 }));
      const comes = new Set(crowd.map((one) => one.comes));
      const done = simulate(crowd);
      const ends = new Set(done.map(({ ended }) => ended));
      for (const { began } of done) {
        if (!comes.has(began)) waited++;
        assert.ok(comes.has(began) || ends.has(began), String(began));
      }
    }),
    { numRuns: 20, endOnFailure: true },
  );
  assert.ok(waited > 100, String(waited));
});

test('the limiter lets them begin in the order in which they came, and says long waits once', async () => {
  let ahead = 0;
  const lines: string[] = [];
  const limiter = createLimiter({
    now: () => ahead,
    sleep: async (ms) => {
      ahead += ms;
    },
    onWait: (line) => lines.push(line),
  });
  const order: number[] = [];
  await Promise.all(
    Array.from({ length: 2 * PER_MINUTE }, async (_, i) => {
      const end = await limiter.turn();
      order.push(i);
      end(0);
    }),
  );
  assert.deepEqual(
    order,
    order.map((_, i) => i),
  );
  assert.equal(ahead, 60_000);
  assert.deepEqual(lines, ['rate limit, 60 s']);
});

test('the headers of an answer, by the clock of the server that sent them', () => {
  const date = new Date(1_800_000_000_000).toUTCString();
  const headers = { 'ratelimit-remaining': '4816', 'ratelimit-reset': '1800000030', date };
  assert.deepEqual(limitsOf(headers, 5), { remaining: 4816, resetIn: 30_000, retryAfter: undefined });
  const { date: _, ...dateless } = headers;
  assert.equal(limitsOf(dateless, 1_800_000_020_000).resetIn, 10_000);
  assert.equal(limitsOf({ ...headers, 'ratelimit-reset': '1700000000' }, 0).resetIn, 0);
  assert.equal(limitsOf({ 'retry-after': '17' }, 0).retryAfter, 17_000);
  for (const odd of ['', 'soon', '-1', '1e9', undefined, ['1', '2']])
    assert.deepEqual(
      limitsOf({ 'retry-after': odd, 'ratelimit-reset': odd, 'ratelimit-remaining': odd }, 0),
      {
        ...{ remaining: undefined, resetIn: undefined, retryAfter: undefined },
      },
    );
});

test('all wait where the hour is nearly used up or a limit was met, and never too long', () => {
  assert.equal(holdAfter(false, { remaining: 9, resetIn: 5000 }, 60_000), 0);
  assert.equal(holdAfter(false, { remaining: 8, resetIn: 5000 }, 60_000), 5000);
  assert.equal(holdAfter(false, { remaining: 0, resetIn: 3_000_000 }, 90_000), 60_000);
  assert.equal(holdAfter(false, { remaining: 0 }, 60_000), 0);
  assert.equal(holdAfter(true, { retryAfter: 7000, resetIn: 5000 }, 60_000), 7000);
  assert.equal(holdAfter(true, { resetIn: 5000 }, 60_000), 5000);
  assert.equal(holdAfter(true, { retryAfter: 700_000 }, 30_000), 30_000);
});

const answer = (status: number, limits: Answer['limits'] = {}): Answer => ({
  ...{ kind: 'answer', status, body: '', limits, requestId: undefined },
});

test('waits between tries: longer each time, from 1 s to 30 s, within patience', () => {
  const middle = [1, 2, 3, 4, 5, 6, 7].map((tries) => backOff(tries, 0.5));
  assert.deepEqual(middle, [1500, 3000, 6000, 12_000, 22_500, 22_500, 22_500]);
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 2000 }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      fc.integer({ min: -5000, max: 300_000 }),
      (tries, random, left) => {
        const wait = waitBefore(answer(503), tries, left, random);
        if (left < 1000) assert.equal(wait, undefined);
        else assert.ok(wait !== undefined && wait >= 1000 && wait <= Math.min(left, 30_000), String(wait));
      },
    ),
  );
  assert.equal(waitBefore(answer(429, { retryAfter: 12_000, resetIn: 1 }), 1, 60_000, 0.5), 12_000);
  assert.equal(waitBefore(answer(429, { retryAfter: 0 }), 1, 60_000, 0.5), 1000);
  assert.equal(waitBefore(answer(429, { retryAfter: 120_000 }), 1, 60_000, 0.5), undefined);
  assert.equal(waitBefore(answer(429, { resetIn: 20_000 }), 1, 60_000, 0.5), 20_000);
  assert.equal(waitBefore(answer(429, { resetIn: 3_000_000 }), 1, 90_000, 0.5), 60_000);
  assert.equal(waitBefore(answer(429, { resetIn: 3_000_000 }), 1, 45_000, 0.5), 45_000);
  assert.equal(waitBefore(answer(429), 1, 60_000, 0.5), 1500);
  // Only a rate limit's reset is what is waited for.
  assert.equal(waitBefore(answer(503, { resetIn: 50_000 }), 1, 60_000, 0.5), 1500);
});

test('50 calls at once are 8 at a time, and an answer near the limit holds up the next', async (t) => {
  let running = 0;
  let most = 0;
  const { api, seen } = await open(t, (res) => {
    most = Math.max(most, ++running);
    setImmediate(() => {
      running--;
      json(res, 200, accountBody);
    });
  });
  await Promise.all(Array.from({ length: 50 }, () => api.account()));
  assert.equal(seen.length, 50);
  assert.ok(most > 1 && most <= AT_ONCE, String(most));

  const near = await open(t, (res) =>
    json(res, 200, accountBody, {
      ...{ 'ratelimit-remaining': '3', 'ratelimit-reset': '1800000020' },
      date: new Date(1_800_000_000_000).toUTCString(),
    }),
  );
  await near.api.account();
  assert.deepEqual(near.slept, []);
  await near.api.account();
  assert.deepEqual([near.slept, near.waits], [[20_000], ['rate limit, 20 s']]);
});

test('a limit that one call meets holds up the others as well', async (t) => {
  const { api, seen, slept } = await open(t, (res, n) =>
    n === 1
      ? oops(res, 429, 'API rate limit exceeded.', { 'retry-after': '9' })
      : json(res, 200, accountBody),
  );
  const first = api.account();
  await new Promise<void>((resolve) => {
    const look = (): void => void (slept.length > 0 ? resolve() : setImmediate(look));
    look();
  });
  await Promise.all([first, api.account()]);
  assert.equal(seen.length, 3);
  assert.equal(slept[0], 9000);
});

test('where no status line is seen, the first wait is a line, and no other', () => {
  const told = (seen: boolean): string[] => {
    const lines: string[] = [];
    const tell = tellWaits({ set: () => {}, print: (more) => lines.push(...more) }, seen);
    tell('connection refused: nothing listens there, 2 s');
    tell('connection refused: nothing listens there, 4 s');
    return lines;
  };
  assert.deepEqual(told(true), []);
  assert.equal(told(false).length, 1);
  assert.match(
    told(false)[0] ?? '',
    /waiting:.* \[DigitalOcean\] connection refused: nothing listens there, 2 s/,
  );
});
