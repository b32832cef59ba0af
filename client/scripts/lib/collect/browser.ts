/** The door to playwright-core: one Chromium with a fresh profile for one visit. */
import { fileURLToPath } from 'node:url';
import { type BrowserContext, type CDPSession, chromium, type Page } from 'playwright-core';
import { messageOf } from '../fault.ts';
import { NO_FEATURES, QUIET, quietEnv } from '../quiet.ts';
import type { HttpTraceEntry } from '../trace/record.ts';
import { loadTrouble, startTrouble } from './browser-words.ts';
import { VisitError } from './failure.ts';
import { PAINTED } from './painted.ts';
import { endProfile } from './profile.ts';

/** Becomes the unprivileged user, then Chromium: a program and no arguments is all that playwright-core starts. */
const AS_USER = fileURLToPath(new URL('./chromium.sh', import.meta.url));

/** Milliseconds for Chromium to start, for a page to answer a question of ours, and for Chromium to end. */
const START = 30_000;
const ANSWER = 5000;
const QUIT = 3000;

export interface BrowserWish {
  /** A folder of the user's own. */
  profile: string;
  /** Whom Chromium runs as; its own user where undefined. */
  user: { uid: number; gid: number } | undefined;
  sandbox: boolean;
  /** What is asked for by QUIC alone, for Chromium's flag: `*`, or a host and port; in mode quic. */
  quic?: string | undefined;
  har?: string | undefined;
  keylog?: string | undefined;
  /** Milliseconds since 1970 on the pcap's clock. */
  now: () => number;
}

/** What a page came to, as far as it came. */
export interface PageFacts {
  url: string;
  title: string;
  source: string;
  /** Something is drawn that the source does not tell: in a shadow tree, or by a style. */
  painted: boolean;
}

/** A promise that has so long; then what `late` makes is thrown. */
export async function within<T>(ms: number, work: Promise<T>, late: () => Error): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const alarm = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(late()), ms);
  });
  return Promise.race([work, alarm]).finally(() => clearTimeout(timer));
}

const flags = [
  '--window-size=1280,960',
  ...QUIET,
  // One process draws a page with all its frames, and so tells of all their requests.
  `--disable-features=${[...NO_FEATURES, 'IsolateOrigins', 'site-per-process'].join(',')}`,
  '--disable-site-isolation-trials',
];

/** A Chromium that has started and shows nothing yet. */
export class Browser {
  /** The DevTools events of the network so far. */
  readonly trace: HttpTraceEntry[] = [];
  /** What happened that no page may do to a visit. */
  trouble: VisitError | undefined;
  readonly notes: string[] = [];
  version = '';
  /** Id of the page's own frame. */
  frame = '';
  private readonly context: BrowserContext;
  private readonly page: Page;
  private readonly session: CDPSession;
  private readonly profile: string;
  /**
   * It has something to do at its end: files of its own to write; to tell a server that a QUIC connection is over, which
   * else goes on asking for half a minute, into the next visits.
   */
  private writes = false;
  private readonly stopped = new AbortController();
  private closing = false;

  private constructor(context: BrowserContext, page: Page, session: CDPSession, profile: string) {
    [this.context, this.page, this.session, this.profile] = [context, page, session, profile];
  }

  /** Starts one; throws a VisitError where it does not come up. */
  static async open(wish: BrowserWish): Promise<Browser> {
    const { profile, user, sandbox, quic, har, keylog, now } = wish;
    const env = { ...quietEnv(process.env), HOME: profile, TMPDIR: profile };
    const drop = user === undefined ? {} : { COMPS_UID: String(user.uid), COMPS_GID: String(user.gid) };
    const start = async (): Promise<Browser> => {
      const context = await chromium.launchPersistentContext(profile, {
        executablePath: AS_USER,
        args: [...flags, ...(quic === undefined ? [] : [`--origin-to-force-quic-on=${quic}`])],
        headless: true,
        chromiumSandbox: sandbox,
        acceptDownloads: true,
        ...{ downloadsPath: profile, artifactsDir: profile },
        viewport: { width: 1280, height: 960 },
        timeout: START,
        // This program's own business.
        ...{ handleSIGINT: false, handleSIGTERM: false, handleSIGHUP: false },
        env: { ...env, ...drop, ...(keylog === undefined ? {} : { SSLKEYLOGFILE: keylog }) },
        ...(har === undefined ? {} : { recordHar: { path: har, content: 'omit' as const } }),
      });
      const page = context.pages()[0] ?? (await context.newPage());
      const session = await context.newCDPSession(page);
      const browser = new Browser(context, page, session, profile);
      browser.writes = har !== undefined || keylog !== undefined || quic !== undefined;
      await browser.watch(now);
      return browser;
    };
    try {
      return await within(START + ANSWER, start(), () => new Error('it does not answer'));
    } catch (error) {
      await endProfile(profile);
      throw new VisitError('crash', `Chromium did not start: ${startTrouble(messageOf(error))}`);
    }
  }

  /** Goes to a page and waits for its load event; throws a VisitError where that does not come within `timeout` ms. */
  async load(url: string, timeout: number): Promise<void> {
    const late = () => new VisitError('timeout', `not loaded within ${timeout / 1000} s`);
    try {
      // A dialogue, a download or a crash ends it at once.
      await Promise.race([
        within(timeout + ANSWER, this.page.goto(url, { waitUntil: 'load', timeout }), late),
        this.untilTrouble(),
      ]);
    } catch (error) {
      throw (
        this.trouble ??
        // An address may say anything, also what a failure is known by.
        (error instanceof VisitError ? error : loadTrouble(messageOf(error).replaceAll(url, ''), late()))
      );
    }
    if (this.trouble !== undefined) throw this.trouble;
  }

  /** Resolves never, and throws at the first trouble. */
  untilTrouble(): Promise<never> {
    return new Promise((_, reject) => {
      if (this.trouble !== undefined) reject(this.trouble);
      this.stopped.signal.addEventListener('abort', () => reject(this.trouble), { once: true });
    });
  }

  /** What there is on the page; throws a VisitError where its own scripts leave it no time to answer. */
  async facts(): Promise<PageFacts> {
    const late = () =>
      new VisitError('timeout', 'the page does not answer: a script of its own keeps it busy');
    const restless = () => new VisitError('timeout', 'the page leads to another document again and again');
    const read = async (): Promise<PageFacts> => {
      const end = performance.now() + ANSWER;
      for (;;) {
        try {
          const [title, source, painted] = await Promise.all([
            this.page.title(),
            this.page.content(),
            this.page.evaluate<boolean>(PAINTED),
          ]);
          return { title, source, painted, url: this.page.url() };
        } catch (error) {
          // Between two documents, where a page leads to another at once.
          if (!/navigating|context was destroyed/.test(messageOf(error))) throw error;
          if (performance.now() > end) throw restless();
          await this.page.waitForLoadState('load', { timeout: ANSWER }).catch(() => {
            throw restless();
          });
        }
      }
    };
    return within(ANSWER, read(), late).catch((error: unknown) => {
      throw (
        this.trouble ??
        (error instanceof VisitError ? error : new VisitError('crash', messageOf(error).split('\n')[0] ?? ''))
      );
    });
  }

  async screenshot(file: string): Promise<void> {
    await this.page.screenshot({ path: file, timeout: ANSWER, animations: 'disabled' });
  }

  /**
   * Ends it, with all its processes. Where it has something to do yet it is asked to, and has some time; else it is
   * killed, which is a tenth of a second quicker: the kernel closes its connections.
   */
  async close(): Promise<void> {
    this.closing = true;
    const gone = () => new Error('it did not end in time');
    if (!this.writes) await endProfile(this.profile);
    await within(QUIT, this.context.close(), gone).catch(() => undefined);
    await endProfile(this.profile);
  }

  private fail(error: VisitError): void {
    if (this.closing) return;
    this.trouble ??= error;
    this.stopped.abort();
  }

  private async watch(now: () => number): Promise<void> {
    const { context, page, session } = this;
    page.on('dialog', (dialog) => {
      this.fail(
        new VisitError(
          'dialog',
          `the page opened a dialogue: ${dialog.type()} ${JSON.stringify(dialog.message().slice(0, 200))}`,
        ),
      );
      dialog.dismiss().catch(() => undefined);
    });
    page.on('download', (download) => {
      this.fail(
        new VisitError(
          'download',
          `it is a download and no page: ${download.suggestedFilename().slice(0, 200)}`,
        ),
      );
      download.cancel().catch(() => undefined);
    });
    page.on('crash', () => this.fail(new VisitError('crash', 'the page’s process ended')));
    context.on('close', () => this.fail(new VisitError('crash', 'Chromium ended')));
    context.on('page', (other) => {
      this.notes.push(`a window that the page opened was closed: ${other.url().slice(0, 200)}`);
      other.close().catch(() => undefined);
    });
    session.on('event', ({ method, params }) => {
      if (!method.startsWith('Network.')) return;
      const message = { message: { method, params }, webview: this.frame };
      this.trace.push({ level: 'INFO', message, timestamp: now() });
    });
    const { frameTree } = await session.send('Page.getFrameTree');
    this.frame = frameTree.frame.id;
    this.version = (await session.send('Browser.getVersion')).product.replace(/^\w+\//, '');
    await session.send('Network.enable');
  }
}
