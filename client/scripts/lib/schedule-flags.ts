/** The flags of a schedule, the same in every command that has one. */
import { Option } from 'commander';
import { Fault } from './fault.ts';
import { decimal, whole } from './flags.ts';
import { MODES, type Mode } from './modes.ts';
import { isTimed, ORDERS, type StrategyName } from './strategy.ts';
import { readWeights } from './weights.ts';

/** `names`: the strategies that the command knows. */
export const strategyFlag = <Name extends StrategyName>(usual: Name, names: readonly Name[]): Option =>
  new Option('--strategy <name>', 'how the next path is chosen').choices(names).default(usual);

/** Seconds from one choice to the next, unless given: in mode quic each move makes QUIC's congestion control begin again. */
const USUAL_PERIOD: Readonly<Record<Mode, number>> = { wireguard: 0.1, quic: 0.5 };

/** The period that is given, or the usual one of a mode. */
export const periodIn = (mode: Mode, given: number | undefined): number => given ?? USUAL_PERIOD[mode];

/** Seconds; below a millisecond no timer follows. */
const period = (meaning: string): Option =>
  new Option('--period <seconds>', meaning).argParser(
    decimal('--period', { min: 0.001, max: 1e6, of: 'of seconds' }),
  );

export const periodFlag = (): Option =>
  period('time from one choice to the next').default(USUAL_PERIOD.wireguard);

/** For commands that know of modes; what is not given is {@link periodIn}'s. */
export const modePeriodFlag = (): Option =>
  period(
    `time from one choice to the next (default: ${USUAL_PERIOD.wireguard}; in mode quic ${USUAL_PERIOD.quic}, as each move makes QUIC's congestion control begin again)`,
  );

/** For commands that touch no machine. */
export const drawnModeFlag = (): Option =>
  new Option('--mode <mode>', 'whose usual period is taken').choices(MODES).default('wireguard');

/** Throws a Fault for a strategy that a mode has no use for. */
export function requireMovable(mode: Mode, strategy: StrategyName): void {
  if (mode === 'wireguard' || isTimed(strategy)) return;
  throw new Fault({
    at: `--strategy ${strategy}`,
    what: 'mode quic has no split by packet: a server would take each packet for a migration of its connection',
    next: '--strategy rr, ur, wr or fixed',
  });
}

/** `meaning`: what the number decides, and what is taken where there is none. */
export const seedFlag = (meaning: string, max = Number.MAX_SAFE_INTEGER): Option =>
  new Option('--seed <number>', meaning).argParser(whole('--seed', { min: 0, max }));

/** The smallest whole numbers of the ratio that is given; as many as paths, which the strategy checks. */
export const weightsFlag = (): Option =>
  new Option('--weights <list>', "the paths' shares, as in 0.5,0.3,0.2 or 5,3,2").argParser(readWeights);

export const orderFlag = (): Option =>
  new Option('--order <name>', 'packet: each drawn by the weights, or in turn (default: random)').choices(
    ORDERS,
  );

/** Packets of a batch that nobody needs more of. */
const MOST_BATCH = 1_000_000;

/** Reads `50-70`, or `60` for batches that are all alike. */
function readBatch(text: string): [number, number] {
  const found = /^\s*(\d{1,9})\s*(?:-\s*(\d{1,9})\s*)?$/.exec(text);
  const least = Number(found?.[1]);
  const most = Number(found?.[2] ?? found?.[1]);
  if (found !== null && least >= 1 && most >= least && most <= MOST_BATCH) return [least, most];
  throw new Fault({
    at: '--batch',
    what: `${JSON.stringify(text)} is no range of packets from 1 to ${MOST_BATCH}`,
    next: '--batch 50-70',
  });
}

export const batchFlag = (): Option =>
  new Option(
    '--batch <range>',
    'bwr: packets to the next draw, each number as likely (default: 50-70)',
  ).argParser(readBatch);

/** From 1, or `random`. */
export const firstFlag = (): Option =>
  new Option('--first <path>', 'number of the first path, from 1, or "random"')
    .default('random')
    .argParser((value) => (value === 'random' ? value : whole('--first', { min: 1, max: 1e6 })(value)));

/** Throws a Fault for the first of flags that say nothing here; `why` says it. */
export function refuseFlags([name]: readonly string[], why: string): void {
  if (name !== undefined) throw new Fault({ at: `--${name}`, what: why, next: `the same without --${name}` });
}

/** For --help, wherever there are strategies. */
export const STRATEGY_HELP = `Strategies, a path each --period: none stays on one; rr takes them in turn; ur draws each with the same probability;
wr draws weights once (Dirichlet) and then each path with its weight; fixed does so with the --weights given. The original
has Dirichlet's weights in its wr too; its simulator calls that dwr, and ur wr.
By packet: packet draws each packet's path (--weights, else alike), or takes the paths in turn (--order rr); bwr draws weights
once, unless given, and a path anew after 50 to 70 packets (--batch), as TrafficSliver-Net; hywf, as HyWF, draws the paths'
chances for each load, and a path anew after runs of 20 packets in the mean.`;
