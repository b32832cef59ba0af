import { randomInt, randomUUID } from 'node:crypto';
import { systemClock } from './lib/clock.ts';
import { beforeFrom, collect } from './lib/collect/collect.ts';
import { type CollectFlags, checkFlags, collectProgram } from './lib/collect/collect-flags.ts';
import { holdRun } from './lib/collect/hold.ts';
import { versions as findVersions, hostFacts, requireNft } from './lib/collect/host.ts';
import { unreachable } from './lib/collect/http3.ts';
import { allEndpoints, existingRealInterfaces, leakFilter, published } from './lib/collect/leak.ts';
import { Migrator } from './lib/collect/migrator.ts';
import { checkCount, plan } from './lib/collect/plan.ts';
import { difference, Present } from './lib/collect/present.ts';
import { browserUser, openScratch, sweepScratch } from './lib/collect/profile.ts';
import { Progress } from './lib/collect/progress.ts';
import { noteTunnels, openRun, readManifest, remaining } from './lib/collect/run.ts';
import { placeFault, RunSink, type Sink, StreamSink } from './lib/collect/sink.ts';
import { Probe, type Tunnel, tunnelsOf } from './lib/collect/tunnels.ts';
import { readUrls } from './lib/collect/urls.ts';
import { atEnd, exitWith, main, takeSignal } from './lib/command.ts';
import { EXIT, Fault, messageOf } from './lib/fault.ts';
import { readInput, readText, requireFolderPlace, requirePlace } from './lib/files.ts';
import { remove } from './lib/folders.ts';
import { existingTunnels, selectTunnels } from './lib/interfaces.ts';
import { refuseWhileHeld, takeLock } from './lib/lock.ts';
import { type Mode, requireMode, type Tcp, tcpNow } from './lib/mode.ts';
import { weightsFor } from './lib/packet-strategy.ts';
import { requireNetAdmin } from './lib/privilege.ts';
import { periodIn, requireMovable } from './lib/schedule-flags.ts';
import { isTimed } from './lib/strategy.ts';
import { type Manifest, type Settings, tunnelsOverTime } from './lib/trace/layout.ts';

/** Bytes of captures that a visit may have: in base64 one string of Node's holds half a gigabyte. */
const MOST_BYTES = 256e6;

const program = collectProgram().action(run);

async function readList({ urls }: CollectFlags, cannot: (url: URL) => string | undefined): Promise<string[]> {
  if (urls === undefined && process.stdin.isTTY) console.error('URLs, one a line; Ctrl-D ends the list:');
  const text = urls === undefined ? await readInput() : readFile(urls);
  const list = readUrls(text, urls ?? 'standard input', cannot);
  for (const notice of list.notices) console.error(notice);
  return list.urls;
}

function readFile(path: string): string {
  try {
    return readText(path);
  } catch (error) {
    throw new Fault({ at: '--urls', what: messageOf(error) });
  }
}

function settingsOf(
  flags: CollectFlags,
  urls: string[],
  interfaces: string[],
  { seed, mode, tcp }: { seed: number; mode: Mode; tcp: Tcp },
): Settings {
  const { visits, strategy, weights, order, batch, timeout, linger, retries } = flags;
  const period = isTimed(strategy) ? periodIn(mode, flags.period) : null;
  // Whatever does not fit the number of paths is said now.
  weightsFor(strategy, { seed, paths: interfaces.length, weights, order, batch });
  return {
    ...{ urls, visits },
    ...(mode === 'quic' && { mode, allow_tcp: tcp }),
    ...{ strategy, period, seed, interfaces, timeout, linger, retries },
    ...(weights && { weights }),
    ...(order && { order }),
    ...(batch && { batch }),
    headers_only: flags.headersOnly ?? false,
    screenshots: flags.screenshots ?? false,
    keylog: flags.keylog ?? false,
    har: flags.har ?? false,
  };
}

/** Where visits go, which there are still to make, and the run's UUID. */
function openSink(flags: CollectFlags, scratch: string, settings: Settings, open: () => Manifest) {
  const planned = plan(settings.urls, settings.visits, settings.seed);
  try {
    if (flags.run === undefined) {
      const todo = planned.map((visit) => ({ planned: visit, before: beforeFrom([]) }));
      const sink: Sink = new StreamSink(flags.out, scratch);
      return { id: randomUUID(), sink, todo, finished: 0, failed: 0 };
    }
    const { run: id } = open();
    const sink = new RunSink(flags.run);
    return { id, sink: sink as Sink, ...remaining(sink, planned, settings.retries) };
  } catch (error) {
    throw placeFault(flags.run ?? flags.out ?? scratch, error);
  }
}

/** The tunnels to use: without --interfaces those that a run was begun with, whatever has been added since. */
function tunnelsFor(
  { interfaces, run }: CollectFlags,
  there: Manifest | undefined,
  existing: string[],
): string[] {
  if (interfaces !== undefined || there === undefined) return selectTunnels(interfaces, existing);
  const names = selectTunnels(there.settings.interfaces, existing, `--run ${run}`);
  const more = existing.filter((name) => !names.includes(name));
  if (more.length > 0) console.error(`${more.join(', ')}: not of this run, which goes on without`);
  return names;
}

async function run(flags: CollectFlags): Promise<void> {
  checkFlags(program, flags);
  const mode = requireMode(flags.mode);
  requireMovable(mode, flags.strategy);
  const tcp = tcpNow();
  const urls = await readList(flags, (url) => unreachable(mode, url));
  checkCount(urls.length, flags.visits);
  requireNetAdmin();
  const there = flags.run === undefined ? undefined : readManifest(flags.run);
  const interfaces = tunnelsFor(flags, there, existingTunnels());
  const tunnels = tunnelsOf(interfaces);
  const versions = findVersions();
  if (!isTimed(flags.strategy)) requireNft();
  const user = browserUser();
  if (flags.out !== undefined) requirePlace(flags.out, '--out');
  if (flags.run !== undefined) requireFolderPlace(flags.run, '--run');
  await takeLock('comps-fetch', 'another fetch_websites.ts');
  await refuseWhileHeld('comps-migrate', 'a migrate.ts that is not this program’s');
  if (flags.run !== undefined) await holdRun(flags.run);

  const seed = flags.seed ?? there?.settings.seed ?? randomInt(2 ** 48 - 1);
  const settings = settingsOf(flags, urls, interfaces, { seed, mode, tcp });
  await sweepScratch();
  const scratch = openScratch();
  atEnd(() => remove(scratch));
  const stop = new AbortController();
  takeSignal((signal) => stop.abort(signal));

  const {
    id,
    sink,
    todo,
    finished,
    failed: before,
  } = openSink(flags, scratch, settings, () => {
    const started = new Date().toISOString();
    return openRun(flags.run ?? '', settings, tunnels, { started, versions, host: hostFacts() });
  });
  atEnd(() => sink.close());
  const progress = new Progress(todo.length + finished, { finished, failed: before }, interfaces);
  const seedNote = flags.seed === undefined ? `; seed ${settings.seed}` : '';
  if (finished > 0)
    progress.say(`${finished} of ${todo.length + finished} visits are there already${seedNote}`);
  else if (seedNote !== '') progress.say(`seed ${settings.seed}`);
  if (before > 0)
    progress.say(
      `${before} failed for good earlier; --retries ${settings.retries + 1} or more, or a new run`,
    );
  const tell = (words: string) => progress.say(`the tunnels are others than before: ${words}`);
  const otherwise = there && difference(tunnelsOverTime(there).at(-1)?.tunnels ?? [], tunnels);
  if (otherwise !== undefined) tell(otherwise);
  const migrator = new Migrator(settings);
  atEnd(() => migrator.abandon());
  const stage = {
    ...{ run: id, settings, migrator, user, scratch, sandbox: flags.sandbox, mostBytes: MOST_BYTES },
    clock: systemClock(),
    // Anew for each visit: setup.sh may have been run meanwhile, or an interface have come.
    exits: () => ({ real: existingRealInterfaces(), leaks: leakFilter(allEndpoints(), published()) }),
  };
  const probe = new Probe(interfaces, mode);
  const [minFree, patience] = [flags.minFree * 1e6, flags.patience];
  const others = (now: readonly Tunnel[], words: string): void => {
    tell(words);
    if (flags.run !== undefined) noteTunnels(flags.run, now, new Date().toISOString());
  };
  const present = new Present({ mode, tcp }, tunnels);
  const failed = await collect(
    { stage, present, others, sink, probe, progress, versions, todo, minFree, patience },
    stop.signal,
  );
  progress.end();
  if (failed + before > 0) exitWith(EXIT.failed);
}

await main(program);
