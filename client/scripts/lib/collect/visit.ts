/** One attempt of one visit: everything started in order, everything ended in order, whatever happens between. */
import { join } from 'node:path';
import type { Clock } from '../clock.ts';
import { atEnd } from '../command.ts';
import { copyIfAny, sizeOf } from '../folders.ts';
import type { Mode, Tcp } from '../modes.ts';
import { captureFile, FILE, type Settings } from '../trace/layout.ts';
import type { Failure } from '../trace/record.ts';
import { Browser, type PageFacts } from './browser.ts';
import { Capture, HEADER_BYTES, untilCalm } from './capture.ts';
import { stopped, VisitError } from './failure.ts';
import { byTcp, forcedOrigins, lastAsked, otherOrigin, QUIC } from './http3.ts';
import type { Evidence } from './judge.ts';
import type { Migrator, Schedule } from './migrator.ts';
import { type DocumentFacts, documentOf, otherSite } from './network.ts';
import type { PlannedVisit } from './plan.ts';
import { makeProfile, type User } from './profile.ts';
import type { Tunnel } from './tunnels.ts';
import { isEmpty, wallIn } from './wall.ts';

/** What a visit needs: all but the tunnels stays the same from one to the next. */
export interface Stage {
  /** UUID of the run. */
  run: string;
  settings: Settings;
  tunnels: readonly Tunnel[];
  /** Interfaces past the tunnels, and what may not leave them, for pcap-filter(7). */
  exits: () => { real: readonly string[]; leaks: string };
  migrator: Migrator;
  user: User | undefined;
  sandbox: boolean;
  /** Holds the profile. */
  scratch: string;
  clock: Clock;
  /** Bytes of captures after which a visit is given up: what a record can hold. */
  mostBytes: number;
}

type Seen = 'started' | 'navigated' | 'loaded' | 'ended' | 'page' | 'captures' | 'migration' | 'leaked';

/** What a visit came to, before it is judged; `leaked` is null where a tcpdump did not come to a good end. */
export interface Raw extends Pick<Evidence, Seen> {
  facts: PageFacts | undefined;
  document: DocumentFacts;
  browser: Browser | undefined;
  /** What migration did; empty where it did not begin. */
  schedule: Schedule;
  notes: string[];
}

/** Bytes kept of a packet past the tunnels: enough to see whose it is. */
const LEAK_BYTES = 512;

/** Milliseconds between two looks at the tools while a page loads. */
const WATCH = 250;

const toFailure = (error: unknown): Failure => {
  if (error instanceof VisitError) return { kind: error.kind, message: error.message };
  throw error;
};

/** Throws as soon as a tool ends, the captures grow too big (VisitErrors), or `stop` fires (a Fault); never resolves. */
function guard(
  stop: AbortSignal,
  tools: readonly { readonly broken: VisitError | undefined }[],
  files: readonly string[],
  most: number,
) {
  let timer: NodeJS.Timeout | undefined;
  let halt = (): void => undefined;
  const alarm = new Promise<never>((_, reject) => {
    halt = () => reject(stopped());
    timer = setInterval(() => {
      const broken = tools.map((tool) => tool.broken).find((error) => error !== undefined);
      if (broken !== undefined) reject(broken);
      const bytes = files.reduce((sum, file) => sum + sizeOf(file), 0);
      if (bytes > most)
        reject(new VisitError('too-big', `more than ${Math.round(most / 1e6)} MB were captured`));
    }, WATCH);
    if (stop.aborted) halt();
    stop.addEventListener('abort', halt);
  });
  alarm.catch(() => undefined);
  const end = (): void => {
    clearInterval(timer);
    stop.removeEventListener('abort', halt);
  };
  return { alarm, end };
}

/** What makes a loaded page no success. */
function pageTrouble(
  facts: PageFacts,
  document: DocumentFacts,
  client: { mode: Mode; tcp: Tcp },
  asked: { first: string; last: string },
): VisitError | undefined {
  const { title, source } = facts;
  const { http_status } = document;
  // One that has led on to another that did not come: what is there is Chromium's own, with the first one's status.
  if (!/^https?:/.test(facts.url)) {
    const other = client.mode === 'quic' ? otherOrigin(client.tcp, asked.first, asked.last) : undefined;
    const { kind, message } = other ?? {
      kind: 'network',
      message: 'it leads on to a page that does not come',
    };
    return new VisitError(kind, message);
  }
  const tcp = byTcp(client, document, { ...asked, last: facts.url });
  if (tcp !== undefined) return new VisitError(tcp.kind, tcp.message);
  const wall = wallIn({ http_status, title, source });
  if (wall !== undefined) return new VisitError('bot-wall', `a wall in place of the page: ${wall}`);
  if (http_status !== null && http_status >= 400)
    return new VisitError('http-status', `status ${http_status}`);
  if (http_status === null) return new VisitError('empty', 'no answer of the page itself was seen');
  return isEmpty(source) && !facts.painted ? new VisitError('empty', 'the document is empty') : undefined;
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/**
 * Carries out one attempt; files go to `folder`. Never throws a VisitError: what failed is in what it returns. Throws a
 * Fault at once where `stop` fires; what runs then is for the clean-up at the command's end.
 */
export async function carryOut(
  stage: Stage,
  planned: PlannedVisit,
  folder: string,
  stop: AbortSignal,
): Promise<Raw> {
  const { settings, tunnels, clock } = stage;
  const now = (): number => clock.epoch(clock.now());
  const file = (name: string): string => join(folder, name);
  const mode = settings.mode ?? 'wireguard';
  const tcp = settings.allow_tcp ?? 'none';
  const asked = mode === 'quic' ? QUIC : 'tcp';
  clock.follow();
  const raw: Raw = {
    started: now(),
    ...{ navigated: null, loaded: null, ended: 0, leaked: null },
    ...{ page: undefined, captures: undefined, migration: undefined },
    ...{ facts: undefined, browser: undefined, notes: [] },
    document: { http_status: null, protocol: asked },
    schedule: { lines: [], text: '' },
  };

  const paths = tunnels.map(({ interface: device, mtu }) => {
    const snaplen = settings.headers_only ? HEADER_BYTES : mtu;
    return new Capture({ device, file: file(captureFile(device)), snaplen });
  });
  const exits = stage.exits();
  const leaks = exits.real.map(
    (device, i) =>
      new Capture({
        device,
        file: file(i === 0 ? FILE.leak : `${i}-${FILE.leak}`),
        snaplen: LEAK_BYTES,
        leaving: exits.leaks,
      }),
  );
  const captures = [...paths, ...leaks];
  const { migrator } = stage;
  const waiting = migrator.ready();
  waiting.catch(() => undefined);
  let began = false;
  const profile = makeProfile(stage.scratch, stage.user);
  const opening = Browser.open({
    ...{ profile, user: stage.user, sandbox: stage.sandbox },
    quic: mode === 'quic' ? forcedOrigins(tcp, planned.url) : undefined,
    har: settings.har ? file(FILE.har) : undefined,
    keylog: settings.keylog ? join(profile, FILE.keys) : undefined,
    now: () => now() * 1000,
  });
  opening.catch(() => undefined);

  /** Ends all that runs, in any state. */
  const abandon = async (): Promise<void> => {
    await Promise.all(captures.map((capture) => capture.abandon()));
    await opening.then((browser) => browser.close()).catch(() => undefined);
  };
  const done = atEnd(abandon);

  const files = captures.map((capture) => capture.file);
  const watch = guard(stop, [...captures, migrator], files, stage.mostBytes);
  const guarded = <T>(work: Promise<T>): Promise<T> => Promise.race([work, watch.alarm]);

  try {
    await guarded(Promise.all(captures.map((capture) => capture.ready())));
    await guarded(waiting);
    const browser = await guarded(opening);
    raw.browser = browser;
    began = true;
    raw.schedule = await guarded(migrator.run(planned.seed));
    raw.navigated = now();
    await guarded(browser.load(planned.url, settings.timeout * 1000));
    raw.loaded = now();
    if (settings.linger > 0)
      await guarded(Promise.race([pause(settings.linger * 1000), browser.untilTrouble()]));
    raw.facts = await guarded(browser.facts());
    raw.document = documentOf(browser.trace, browser.frame, asked);
    if (settings.screenshots)
      await browser
        .screenshot(file(FILE.screenshot))
        .catch((error: Error) => raw.notes.push(`no screenshot: ${error.message.split('\n')[0]}`));
    const { url } = planned;
    const last = lastAsked(browser.trace, browser.frame, url);
    const trouble = pageTrouble(raw.facts, raw.document, { mode, tcp }, { first: url, last });
    if (trouble !== undefined) throw trouble;
    if (otherSite(planned.url, raw.facts.url)) raw.notes.push(`redirected to ${new URL(raw.facts.url).host}`);
  } catch (error) {
    const failure = toFailure(error);
    if (failure.kind === 'capture' || failure.kind === 'too-big') raw.captures = failure;
    else if (failure.kind === 'migration') raw.migration = failure;
    else raw.page = failure;
    if (raw.browser !== undefined) raw.document = documentOf(raw.browser.trace, raw.browser.frame, asked);
  } finally {
    watch.end();
  }
  await endAll();
  raw.ended = now();
  return raw;

  async function endAll(): Promise<void> {
    // First, so that connections close, and their last packets come, on one path.
    if (began)
      await migrator.stop().catch((error: unknown) => {
        raw.migration ??= toFailure(error);
        return migrator.abandon();
      });
    await opening.then(
      (browser) => browser.close(),
      () => undefined,
    );
    if (settings.keylog) copyIfAny(join(profile, FILE.keys), file(FILE.keys));
    await untilCalm(captures).catch((error: unknown) => {
      raw.captures ??= toFailure(error);
    });
    const ends = await Promise.allSettled(captures.map((capture) => capture.stop()));
    const broken = ends.find((end) => end.status === 'rejected');
    if (broken !== undefined) raw.captures ??= toFailure(broken.reason);
    const counts = ends.slice(paths.length);
    if (counts.every((end) => end.status === 'fulfilled'))
      raw.leaked = counts.reduce((sum, end) => sum + end.value.captured, 0);
    // Nothing is left to end: whatever has not come to a good end is ended by force.
    await done();
  }
}
