import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Fault } from '../../client/scripts/lib/fault.ts';
import {
  cycleOf,
  MOST_CYCLE,
  type PacketInput,
  packetChoice,
  type Run,
  roundOf,
} from '../../client/scripts/lib/packet-strategy.ts';
import { type PacketName, STRATEGIES } from '../../client/scripts/lib/strategy.ts';
import { pathsOf, runsOf } from '../packet-runs.ts';

const shown = (runs: readonly Run[]): string =>
  runs.map(({ path, packets }) => `${path}*${packets}`).join(' ');

const seeds = fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER });
/** Every kind of packet strategy, for so many paths. */
const inputs = fc
  .record({
    name: fc.constantFrom<PacketName>('bwr', 'hywf', 'packet'),
    seed: seeds,
    paths: fc.integer({ min: 2, max: 8 }),
    rr: fc.boolean(),
    end: fc.constantFrom('client' as const, 'server' as const),
  })
  .map(({ name, seed, paths, rr, end }): [PacketName, PacketInput] => [
    name,
    { seed, paths, end, order: rr && name === 'packet' ? 'rr' : undefined },
  ]);

// Computed by a second implementation, in Python, from the words of random.ts and packet-strategy.ts. These lines never change.
const BIG = Number.MAX_SAFE_INTEGER;
const KNOWN_PACKETS: [PacketInput, string][] = [
  [{ seed: 42, paths: 3 }, '102001001022202000012200'],
  [{ seed: 0, paths: 5 }, '344220423023320410022121'],
  [{ seed: BIG, paths: 2 }, '110011011101010000001110'],
  [{ seed: 42, paths: 3, weights: [5, 3, 2] }, '001001000012102000011200'],
  [{ seed: 42, paths: 3, order: 'rr' }, '120120120120120120120120'],
  [{ seed: 7, paths: 3, order: 'rr', weights: [5, 1, 1] }, '00001020000102'],
  [{ seed: 42, paths: 3, order: 'rr', weights: [0.5, 0.3, 0.2] }, '00102100120010210012'],
];
const KNOWN_RUNS: [PacketName, PacketInput, string][] = [
  ['bwr', { seed: 42, paths: 3 }, '1*54 0*60 1*51 0*62 0*63 1*64 0*57 0*60'],
  ['bwr', { seed: 0, paths: 5 }, '3*56 4*63 3*61 3*68 3*52 0*70 3*66 3*70'],
  ['bwr', { seed: BIG, paths: 2 }, '1*50 1*57 1*64 1*55 1*61 1*51 1*63 1*50'],
  ['bwr', { seed: 42, paths: 3, weights: [5, 3, 2], batch: [1, 4] }, '0*1 0*2 1*1 0*3 0*3 1*3 0*2 0*2'],
  ['hywf', { seed: 42, paths: 3 }, '1*91 0*15 1*94 0*2 0*31 1*3 0*34 0*19'],
  ['hywf', { seed: 42, paths: 3, end: 'server' }, '1*48 0*2 1*21 1*5 1*12 1*1 0*5 1*26'],
  ['hywf', { seed: 0, paths: 5 }, '3*52 4*2 3*2 3*11 3*58 0*29 3*61 3*20'],
  ['hywf', { seed: BIG, paths: 2 }, '1*1 1*7 1*12 1*16 1*19 1*41 1*18 1*26'],
];

test('the lists of known seeds are what they always were', () => {
  for (const [input, expected] of KNOWN_PACKETS)
    assert.equal(pathsOf('packet', input, expected.length).join(''), expected, JSON.stringify(input));
  for (const [name, input, expected] of KNOWN_RUNS)
    assert.equal(shown(runsOf(name, input, 8)), expected, `${name} ${JSON.stringify(input)}`);
});

test('the same input gives the same runs, all within range, however often they are read', () =>
  fc.assert(
    fc.property(inputs, ([name, input]) => {
      const choice = packetChoice(name, input);
      const list = cycleOf(choice, 500);
      assert.deepEqual(cycleOf(choice, 500), list);
      assert.deepEqual(cycleOf(packetChoice(name, input), 500), list);
      for (const { path, packets } of list) {
        assert.ok(Number.isInteger(path) && path >= 0 && path < input.paths);
        assert.ok(Number.isInteger(packets) && packets > 0);
      }
    }),
  ));

test('a cycle has exactly so many packets, its neighbours differ, and a shorter one is its beginning', () =>
  fc.assert(
    fc.property(inputs, fc.nat(400), fc.nat(400), ([name, input], a, b) => {
      const list = cycleOf(packetChoice(name, input), a + b);
      assert.equal(
        list.reduce((sum, { packets }) => sum + packets, 0),
        a + b,
      );
      for (const [i, run] of list.entries()) assert.notEqual(run.path, list[i - 1]?.path);
      assert.deepEqual(pathsOf(name, input, a), pathsOf(name, input, a + b).slice(0, a));
    }),
  ));

test('packets of one path are one run', () => {
  assert.deepEqual(cycleOf(packetChoice('packet', { seed: 1, paths: 1 }), 65_536), [
    { path: 0, packets: 65_536 },
  ]);
  assert.deepEqual(cycleOf(packetChoice('bwr', { seed: 1, paths: 3, weights: [0, 1, 0] }), 1000), [
    { path: 1, packets: 1000 },
  ]);
});

test('another seed gives another list, the other end too, and a told first path moves nothing behind it', () => {
  fc.assert(
    fc.property(
      seeds,
      fc.constantFrom<PacketName>('bwr', 'hywf', 'packet'),
      fc.nat(2),
      (seed, name, first) => {
        const input = { seed, paths: 3 };
        const runs = runsOf(name, input, 60);
        assert.notDeepEqual(runsOf(name, { ...input, seed: seed === 0 ? 1 : seed - 1 }, 60), runs);
        assert.notDeepEqual(runsOf(name, { ...input, end: 'server' }, 60), runs);
        const told = runsOf(name, { ...input, first }, 60);
        assert.deepEqual(told[0], { ...runs[0], path: first });
        assert.deepEqual(told.slice(1), runs.slice(1));
      },
    ),
    { seed: 6, numRuns: 100 },
  );
});

test('bwr and wr of a seed draw the same weights; given ones are kept', () => {
  const { weights } = packetChoice('bwr', { seed: 42, paths: 3 });
  assert.deepEqual(weights, [0.30866257268220887, 0.678048678425294, 0.013288748892497093]);
  assert.deepEqual(packetChoice('bwr', { seed: 42, paths: 3, weights: [5, 3, 2] }).weights, [0.5, 0.3, 0.2]);
  assert.deepEqual(packetChoice('packet', { seed: 42, paths: 4 }).weights, [0.25, 0.25, 0.25, 0.25]);
  // Given as shares, as a log has them, it is the same list again.
  assert.deepEqual(
    cycleOf(packetChoice('bwr', { seed: 42, paths: 3, weights }), 5000),
    cycleOf(packetChoice('bwr', { seed: 42, paths: 3 }), 5000),
  );
});

test('what does not fit is refused', () => {
  const refused = (name: PacketName, input: Partial<PacketInput>, words: RegExp): void =>
    assert.throws(
      () => packetChoice(name, { seed: 1, paths: 3, ...input }),
      (error) => error instanceof Fault && words.test(error.toString()),
      `${name} ${JSON.stringify(input)}`,
    );
  refused('hywf', { paths: 1 }, /two or more paths/);
  refused('hywf', { weights: [1, 1, 1] }, /--weights: hywf takes none/);
  refused('bwr', { order: 'rr' }, /--order: bwr takes none[\s\S]*--strategy packet/);
  refused('packet', { batch: [1, 2] }, /--batch: packet takes none[\s\S]*--strategy bwr/);
  refused('packet', { weights: [1, 1] }, /2 weights for 3 paths/);
  refused('packet', { weights: [0, 1, 1], order: 'rr', first: 0 }, /path 1 has weight 0/);
  refused('packet', { weights: [1, MOST_CYCLE, 1], order: 'rr' }, /more than 65536 packets/);
  assert.equal(
    packetChoice('packet', { seed: 1, paths: 2, weights: [1, MOST_CYCLE - 1], order: 'rr' }).repeats,
    MOST_CYCLE,
  );
  assert.equal(STRATEGIES.length, 8);
});

test('round robin: each round has each path by its weight, spread out, and the next is the same', () =>
  fc.assert(
    fc.property(
      seeds,
      fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 2, maxLength: 5 }),
      (seed, weights) => {
        const choice = packetChoice('packet', { seed, paths: weights.length, weights, order: 'rr' });
        const length = choice.repeats ?? 0;
        const sum = weights.reduce((a, b) => a + b, 0);
        assert.equal(sum % length, 0);
        const input = { seed, paths: weights.length, weights, order: 'rr' } as const;
        const paths = pathsOf('packet', input, 2 * length);
        assert.deepEqual(paths.slice(length), paths.slice(0, length));
        for (const [path, weight] of weights.entries()) {
          const turns = paths.slice(0, length).filter((one) => one === path).length;
          assert.equal(turns * sum, weight * length);
          // Never far from its share: the smooth kind spreads a path's turns over the round.
          let had = 0;
          for (const [i, one] of roundOf(weights).entries()) {
            if (one === path) had++;
            assert.ok(Math.abs(had - ((i + 1) * weight) / sum) < weights.length);
          }
        }
      },
    ),
  ));
