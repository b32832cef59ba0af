import { randomInt } from 'node:crypto';
import { systemClock } from './lib/clock.ts';
import { atEnd, exitWith, main, takeSignal } from './lib/command.ts';
import { EXIT, Fault } from './lib/fault.ts';
import { existingTunnels, selectTunnels } from './lib/interfaces.ts';
import { IpBatch } from './lib/ip-batch.ts';
import { JsonLog } from './lib/json-log.ts';
import { clearSplit, requireSplittable } from './lib/kernel-split.ts';
import { takeLock } from './lib/lock.ts';
import { checkFlags, type GivenFlags, type MigrateFlags, migrateProgram } from './lib/migrate-flags.ts';
import { drawJob, fileJob, type Job } from './lib/migrate-job.ts';
import { migrate, TABLE } from './lib/migration.ts';
import { plannedMode, requireMode } from './lib/mode.ts';
import { serve } from './lib/orders.ts';
import { requireNetAdmin } from './lib/privilege.ts';
import { periodIn, requireMovable } from './lib/schedule-flags.ts';
import { beginSplit, GONE, splitUntil } from './lib/split-run.ts';
import { pathHealth } from './lib/watch-paths.ts';

const program = migrateProgram().action(run);

async function print(flags: MigrateFlags, seed: number, count: number): Promise<void> {
  const interfaces = flags.interfaces ?? selectTunnels(undefined, existingTunnels());
  const { heading, by, plan } = drawJob(flags, seed, interfaces, count);
  const out = JsonLog.open(flags.log, { gone: () => undefined, trouble: console.error });
  out.line({ event: 'plan', ...heading });
  if (by === 'packet') {
    let packet = 0;
    for (const [n, { path, packets }] of plan.runs.entries()) {
      out.line({ event: 'run', n, packet, packets, path: interfaces[path] });
      packet += packets;
    }
  } else
    for (const { n, at, path } of plan.entries) {
      if (n === count) break;
      out.line({ event: 'entry', n, at, path: interfaces[path] });
    }
  if (!(await out.close())) exitWith(EXIT.failed);
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

async function run(given: GivenFlags): Promise<void> {
  checkFlags(program, given);
  // A plan is for any machine; on a client it is that one's.
  const mode = given.plan === undefined ? requireMode(given.mode) : plannedMode(given.mode);
  requireMovable(mode, given.strategy);
  const flags: MigrateFlags = { ...given, period: periodIn(mode, given.period) };
  const seed = flags.seed ?? randomInt(2 ** 48 - 1);
  if (flags.plan !== undefined) return print(flags, seed, flags.plan);
  requireNetAdmin();
  const interfaces = flags.stop ? [] : selectTunnels(flags.interfaces, existingTunnels());
  const jobOf = (of: number): Job =>
    flags.schedule === undefined
      ? drawJob(flags, of, interfaces)
      : fileJob(flags.schedule, flags.repeat === true);
  const job = flags.stop ? undefined : jobOf(seed);
  if (job?.by === 'packet') requireSplittable(job.interfaces);
  await takeLock('comps-migrate', 'another migrate.ts, or a check.ts,');

  const stop = new AbortController();
  takeSignal((signal) => stop.abort(signal));
  const log = JsonLog.open(flags.log, {
    gone: () => stop.abort('log reader gone'),
    trouble: (message) => console.error(`the switch log cannot be written, trying again: ${message}`),
  });
  const clock = systemClock();
  const now = (): number => clock.epoch(clock.now());
  const { duration, switches, health } = flags;
  /** Takes away what a process that was killed, or detached itself, has left. */
  const clear = async () => {
    const routes = await openRoutes();
    const cleared = await clearSplit(routes);
    await routes.close();
    return cleared;
  };

  /** Carries one schedule out, from its start line to its end line; false where nothing came of it. */
  const carryOut = async ({ heading, interfaces, ...job }: Job, end: AbortSignal): Promise<boolean> => {
    const routes = await openRoutes();
    clock.follow();
    log.line({ event: 'start', time: now(), ...heading, table: TABLE, node: process.version });
    const doors = { clock, routes, log: (line: object) => log.line(line), warn: console.error };
    if (job.by === 'packet') {
      const plan = { ...job.plan, interfaces, duration, health };
      if (flags.detach) {
        await beginSplit(plan, doors);
        await routes.close();
        return true;
      }
      const reason = await splitUntil(plan, doors, end);
      await routes.close();
      log.line({ event: 'end', time: now(), reason });
      return reason !== GONE;
    }
    const paths = health ? await pathHealth(interfaces, doors) : undefined;
    const plan = { ...job.plan, interfaces, duration, switches };
    const totals = await migrate(plan, { ...doors, health: paths }, end);
    await paths?.close();
    log.line({ event: 'end', time: now(), ...totals });
    return totals.path !== null;
  };

  const left = await clear();
  let good = true;
  if (flags.stop) {
    if (left.counts !== undefined) log.line({ event: 'counts', packets: left.counts });
    console.error(
      left.found ? 'the split is taken away; all goes by the current path' : 'there is no split to end',
    );
  } else if (flags.hold) {
    await serve(
      stop.signal,
      () => log.line({ event: 'ready', time: now() }),
      async (of, end) => {
        const one = of === undefined ? jobOf(seed) : jobOf(of);
        // In time, one that was ended before it set a path is no fault here.
        if (!(await carryOut(one, end)) && one.by === 'packet') good = false;
      },
    );
  } else if (job !== undefined) good = await carryOut(job, stop.signal);
  const complete = await log.close();
  if (!good)
    console.error(
      job?.by === 'packet'
        ? 'error: the split was taken away by somebody else'
        : 'error: not one path could be set; the reasons are in the switch log',
    );
  if (!complete && stop.signal.reason !== 'log reader gone')
    console.error('error: lines of the switch log were lost');
  if (!good || !complete) exitWith(EXIT.failed);
}

await main(program);
