import { randomInt } from 'node:crypto';
import { systemClock } from './lib/clock.ts';
import { atEnd, command, exitWith, main, takeSignal } from './lib/command.ts';
import { EXIT, Fault } from './lib/fault.ts';
import { badFlag, decimal, whole } from './lib/flags.ts';
import { existingTunnels, namesIn, selectTunnels } from './lib/interfaces.ts';
import { IpBatch } from './lib/ip-batch.ts';
import { JsonLog } from './lib/json-log.ts';
import { takeLock } from './lib/lock.ts';
import { migrate, TABLE, type Totals } from './lib/migration.ts';
import { serve } from './lib/orders.ts';
import { requireNetAdmin } from './lib/privilege.ts';
import { firstEntries } from './lib/schedule.ts';
import { periodFlag, seedFlag, strategyFlag } from './lib/schedule-flags.ts';
import { type Choice, choose, type StrategyName } from './lib/strategy.ts';

/** Of the log's format and of the way from a seed to a schedule; a change of either gets the next number. */
const VERSION = 1;

interface Flags {
  strategy: StrategyName;
  period: number;
  seed?: number;
  first: number | 'random';
  interfaces?: string[];
  duration?: number;
  switches?: number;
  log?: string;
  plan?: number;
  hold?: true;
}

const program = command(
  'migrate.ts',
  `Moves table ${TABLE}'s default route from tunnel to tunnel on a schedule.`,
)
  .addOption(strategyFlag('rr'))
  .addOption(periodFlag())
  .addOption(seedFlag('the same number gives the same schedule (default: random, and logged)'))
  .option(
    '--first <path>',
    'number of the first path, from 1, or "random"',
    (value) => (value === 'random' ? value : whole('--first', { min: 1, max: 1e6 })(value)),
    'random',
  )
  .option(
    '--interfaces <names>',
    'tunnels to use, as in wgnet1,wgnet2 (default: every wgnetN there is)',
    namesIn,
  )
  .option(
    '--duration <seconds>',
    'end after this time (default: at a signal)',
    decimal('--duration', { min: 0.001, max: 1e9, of: 'of seconds' }),
  )
  .option(
    '--switches <number>',
    'end after this many choices, the first path not counted (default: at a signal)',
    whole('--switches', { min: 0, max: 1e12 }),
  )
  .option('--log <file>', 'append the switch log, JSON lines, to this file (default: standard output)')
  .option(
    '--plan <number>',
    'print this many entries of the schedule and touch nothing',
    whole('--plan', { min: 0, max: 1e6 }),
  )
  .option(
    '--hold',
    'begin at the first line on standard input, and log that it waits; for programs that start it',
  )
  .addHelpText(
    'after',
    `
Strategies: none stays on one path; rr takes the paths in turn; ur draws each path with the same probability;
wr draws weights once (Dirichlet) and then each path with its weight. SIGTERM or Ctrl-C is the normal end: exit 0,
the last route stays. Exit 2: no path could be set at all, or lines of the log were lost.`,
  )
  .action(run);

/** What start and plan lines tell about the run. */
function heading(flags: Flags, seed: number, interfaces: readonly string[], { weights }: Choice): object {
  const { strategy, period, first } = flags;
  return { version: VERSION, strategy, period, seed, first, weights, interfaces };
}

function chooseFor({ strategy, first }: Flags, seed: number, interfaces: readonly string[]): Choice {
  if (first === 'random') return choose(strategy, { seed, paths: interfaces.length });
  if (first > interfaces.length)
    throw badFlag('--first', String(first), `the number of a path: there are ${interfaces.length}`);
  return choose(strategy, { seed, paths: interfaces.length, first: first - 1 });
}

async function print(flags: Flags, seed: number, count: number): Promise<void> {
  const interfaces = flags.interfaces ?? selectTunnels(undefined, existingTunnels());
  const choice = chooseFor(flags, seed, interfaces);
  const out = JsonLog.open(flags.log, { gone: () => undefined, trouble: console.error });
  out.line({ event: 'plan', ...heading(flags, seed, interfaces, choice) });
  for (const { n, at, path } of firstEntries(choice.paths, flags.period, count))
    out.line({ event: 'entry', n, at, path: interfaces[path] });
  await out.close();
}

/** An `ip` that is there and answers, so that the first switch is as quick as the others. */
async function openRoutes(): Promise<IpBatch> {
  const routes = new IpBatch();
  const closed = atEnd(() => routes.close());
  const ready = await routes.ready();
  if (ready.ok) return routes;
  await closed();
  throw new Fault({ what: `ip -batch does not work: ${ready.message}`, next: 'apt-get install iproute2' });
}

async function run(flags: Flags): Promise<void> {
  const seed = flags.seed ?? randomInt(2 ** 48 - 1);
  if (flags.plan !== undefined) return print(flags, seed, flags.plan);
  requireNetAdmin();
  const interfaces = selectTunnels(flags.interfaces, existingTunnels());
  const choice = chooseFor(flags, seed, interfaces);
  await takeLock('comps-migrate', 'another migrate.ts');

  const stop = new AbortController();
  takeSignal((signal) => stop.abort(signal));
  const log = JsonLog.open(flags.log, {
    gone: () => stop.abort('log reader gone'),
    trouble: (message) => console.error(`the switch log cannot be written, trying again: ${message}`),
  });
  const clock = systemClock();
  const now = (): number => clock.epoch(clock.now());
  const { period, duration, switches } = flags;
  /** Carries one schedule out, from its start line to its end line. */
  const carryOut = async (of: number, plan: Choice, end: AbortSignal): Promise<Totals> => {
    const routes = await openRoutes();
    clock.follow();
    log.line({
      event: 'start',
      time: now(),
      ...heading(flags, of, interfaces, plan),
      table: TABLE,
      node: process.version,
    });
    const totals = await migrate(
      { interfaces, choice: plan, period, duration, switches },
      { clock, routes, log: (line) => log.line(line), warn: console.error },
      end,
    );
    log.line({ event: 'end', time: now(), ...totals });
    return totals;
  };
  let set = true;
  if (flags.hold) {
    await serve(
      stop.signal,
      () => log.line({ event: 'ready', time: now() }),
      async (of, end) => {
        await carryOut(of ?? seed, of === undefined ? choice : chooseFor(flags, of, interfaces), end);
      },
    );
  } else set = (await carryOut(seed, choice, stop.signal)).path !== null;
  const complete = await log.close();
  if (!set) console.error('error: not one path could be set; the reasons are in the switch log');
  if (!complete && stop.signal.reason !== 'log reader gone')
    console.error('error: lines of the switch log were lost');
  if (!set || !complete) exitWith(EXIT.failed);
}

await main(program);
