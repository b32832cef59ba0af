/** The strategies that count packets instead of seconds. Pure. */
import { Fault } from './fault.ts';
import { between, dirichlet, geometric, type Random, stream, weighted } from './random.ts';
import {
  choose,
  type Extras,
  isTimed,
  type PacketName,
  requireExtras,
  type StrategyInput,
  type StrategyName,
} from './strategy.ts';
import { sharesOf, wholeWeights } from './weights.ts';

/** Packets in a row on one path (from 0). */
export interface Run {
  path: number;
  packets: number;
}

export interface PacketInput extends Omit<StrategyInput, 'weights'>, Extras {
  /** Whose packets: with `hywf` the comp server splits what it sends by itself, with the load's same weights. */
  end?: 'client' | 'server' | undefined;
}

/** A strategy with its draws made: which path each packet takes. */
export interface PacketChoice {
  /** A path's long-run share. */
  weights: readonly number[];
  /** Packets after which the list begins again; null where it never does. */
  repeats: number | null;
  /** From packet 0 on, without end; each iteration starts anew. Neighbours may be of the same path. */
  runs: Iterable<Run>;
}

/** Packets of a batch of `bwr`, as TrafficSliver-Net has it: a uniform number from 50 to 70. */
export const BATCH: readonly [number, number] = [50, 70];
/** Mean packets of a run of `hywf`. */
export const RUN_LENGTH = 20;
/** The most packets after which round robin may begin again. */
export const MOST_CYCLE = 65_536;

/** Random streams of a seed, as in strategy.ts; the weights of a load are those of both of its ends. */
const WEIGHTS = 1;
const STREAMS = {
  client: { first: 0, draws: 2, lengths: 3 },
  server: { first: 4, draws: 5, lengths: 6 },
} as const;

/** Runs of drawn lengths, each on a path drawn by the weights; the first one may be told. */
function drawnRuns(
  { seed, first, end = 'client' }: PacketInput,
  weights: readonly number[],
  length: (random: Random) => number,
): Iterable<Run> {
  const streams = STREAMS[end];
  return {
    *[Symbol.iterator]() {
      const draws = stream(seed, streams.draws);
      const lengths = stream(seed, streams.lengths);
      let path = first ?? weighted(stream(seed, streams.first), weights);
      for (;;) {
        yield { path, packets: length(lengths) };
        path = weighted(draws, weights);
      }
    },
  };
}

/**
 * One round of smooth weighted round robin, as nginx has it: each path gains its weight a turn, the one with the most
 * is taken (the first of equals) and pays all weights' sum. Whole weights, so that it is exact.
 */
export function roundOf(weights: readonly number[]): number[] {
  const sum = weights.reduce((a, b) => a + b, 0);
  const credit = weights.map(() => 0);
  return Array.from({ length: sum }, () => {
    let best = 0;
    for (const [i, weight] of weights.entries()) {
      credit[i] = (credit[i] ?? 0) + weight;
      if ((credit[i] ?? 0) > (credit[best] ?? 0)) best = i;
    }
    credit[best] = (credit[best] ?? 0) - sum;
    return best;
  });
}

/** Round robin over weights: it begins at a drawn place of its round, or at the first place of a path that is told. */
function inTurn({ seed, first }: PacketInput, weights: readonly number[]): PacketChoice {
  const whole = wholeWeights(weights, MOST_CYCLE);
  if (whole === undefined)
    throw new Fault({
      at: '--order rr',
      what: `with these weights it begins again only after more than ${MOST_CYCLE} packets`,
      next: 'rounder --weights, or --order random',
    });
  const round = roundOf(whole);
  const start =
    first === undefined
      ? Math.floor(stream(seed, STREAMS.client.first)() * round.length)
      : round.indexOf(first);
  if (start === -1)
    throw new Fault({ at: '--first', what: `path ${(first ?? 0) + 1} has weight 0, and never its turn` });
  const runs = {
    *[Symbol.iterator]() {
      for (let n = start; ; n = (n + 1) % round.length) yield { path: round[n] ?? 0, packets: 1 };
    },
  };
  return { weights: sharesOf(weights, weights.length), repeats: round.length, runs };
}

/**
 * The paths of packets 0, 1, 2, …, a pure function of its input:
 * `packet` draws each packet's path by the weights (equal ones unless given), or takes the paths in turn;
 * `bwr` (TrafficSliver-Net) draws weights once from Dirichlet(1, …, 1), unless they are given, and a path by them anew
 * after each batch of 50 to 70 packets; `hywf` (HyWF) does so after runs that are 20 packets long in the mean, for two
 * or more paths. A path may follow itself. The first path is drawn by the weights as well.
 * Throws a Fault where something is given that does not fit.
 */
export function packetChoice(name: PacketName, input: PacketInput): PacketChoice {
  const { seed, paths, weights: given, order, batch } = input;
  requireExtras(name, { weights: given, order, batch });
  if (name === 'hywf' && paths < 2)
    throw new Fault({ at: '--strategy hywf', what: 'splits over two or more paths, and there is one' });
  const equal = (): number[] => Array.from({ length: paths }, () => 1);
  const usual = (): number[] => (name === 'packet' ? equal() : dirichlet(stream(seed, WEIGHTS), paths));
  const weights = sharesOf(given ?? usual(), paths);
  if (order === 'rr') return inTurn(input, given === undefined ? equal() : weights);
  const [least, most] = batch ?? BATCH;
  const length = (random: Random): number =>
    name === 'packet' ? 1 : name === 'bwr' ? between(random, least, most) : geometric(random, RUN_LENGTH);
  return { weights, repeats: null, runs: drawnRuns(input, weights, length) };
}

/** The weights of any strategy; null where it has none. Throws a Fault where something is given that does not fit. */
export function weightsFor(name: StrategyName, input: PacketInput): readonly number[] | null {
  if (!isTimed(name)) return packetChoice(name, input).weights;
  requireExtras(name, input);
  return choose(name, input).weights;
}

/** The runs of the first `packets` packets, neighbours of the same path joined. */
export function cycleOf({ runs }: Pick<PacketChoice, 'runs'>, packets: number): Run[] {
  const list: Run[] = [];
  let left = packets;
  if (left <= 0) return list;
  for (const run of runs) {
    const taken = Math.min(run.packets, left);
    const last = list.at(-1);
    if (last?.path === run.path) last.packets += taken;
    else list.push({ path: run.path, packets: taken });
    left -= taken;
    if (left === 0) break;
  }
  return list;
}
