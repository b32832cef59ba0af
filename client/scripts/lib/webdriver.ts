/** The door to browsers: a WebDriver somewhere, by way of selenium-webdriver. */
import type { WebDriver } from 'selenium-webdriver';
import { atEnd } from './command.ts';
import { Fault, messageOf } from './fault.ts';
import { NO_FEATURES, QUIET } from './quiet.ts';
import { type DevtoolsEvent, type NavigationEntry, networkOf, timingOf, type Visit } from './visit.ts';
import { notHad, notStarted, unreachable, type VisitWish } from './visit-faults.ts';

/** Milliseconds that a WebDriver may take to say that it is there. */
const PATIENCE = 5000;
/** Milliseconds for a browser to start, and for its last words. */
const START = 60_000;
const QUIT = 5000;

/** A promise that has so long; then it throws what `late` makes. */
async function within<T>(ms: number, work: Promise<T>, late: () => Error): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const alarm = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(late()), ms);
  });
  return Promise.race([work, alarm]).finally(() => clearTimeout(timer));
}

/** Throws a Fault where nothing that is a WebDriver answers. */
async function requireServer(server: string): Promise<void> {
  const answer = await fetch(`${server}/status`, { signal: AbortSignal.timeout(PATIENCE) }).catch(
    (error: Error) => {
      const { cause } = error as { cause?: { code?: string; message?: string } };
      const late = error.name === 'TimeoutError' ? `no answer within ${PATIENCE / 1000} s` : undefined;
      throw unreachable(
        server,
        `does not answer: ${late ?? cause?.code ?? cause?.message ?? messageOf(error)}`,
      );
    },
  );
  const status = (await answer.json().catch(() => ({}))) as { value?: { ready?: boolean } };
  if (typeof status.value?.ready !== 'boolean') throw unreachable(server, 'answers, but is no WebDriver');
}

/** selenium-webdriver, which is a package of the project and not of the client's image. */
async function selenium() {
  try {
    return { ...(await import('selenium-webdriver')), ...(await import('selenium-webdriver/chrome.js')) };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_MODULE_NOT_FOUND') throw error;
    throw new Fault({
      what: 'the package selenium-webdriver is not here: this is for the computer itself, not for a container',
      next: 'in the project’s folder: npm ci, then npx zx client/scripts/open_website.ts',
    });
  }
}

/**
 * A browser with a fresh profile, gone at the command's end; while a page hangs, chromedriver ends it only when that
 * load does, at the latest at the time-out.
 */
async function openBrowser({ server, timeout, sandbox }: VisitWish): Promise<WebDriver> {
  const { Builder, Options, logging } = await selenium();
  await requireServer(server);
  const options = new Options();
  options.addArguments(
    '--headless=new',
    '--window-size=1280,960',
    ...QUIET,
    `--disable-features=${NO_FEATURES}`,
  );
  if (!sandbox) options.addArguments('--no-sandbox');
  // A page that opens a dialogue is not to wait for an answer.
  options.setAlertBehavior('dismiss');
  // Guesses of what will be asked for are not asked for.
  options.setUserPreferences({ 'net.network_prediction_options': 2 });
  const log = new logging.Preferences();
  log.setLevel(logging.Type.PERFORMANCE, logging.Level.ALL);
  const builder = new Builder().disableEnvironmentOverrides().usingServer(server).forBrowser('chrome');
  const driver = builder.setChromeOptions(options).setLoggingPrefs(log).build();
  // That there is none is told below; this is the same promise once more.
  driver.catch(() => undefined);
  const gone = () => new Error('it did not end in time');
  // One that is gone already needs no goodbye.
  atEnd(() => within(QUIT, driver.quit(), gone).catch(() => undefined));
  await within(START, driver.getSession(), () => new Error(`none within ${START / 1000} s`)).catch(
    (error: unknown) => {
      throw notStarted(server, error);
    },
  );
  await driver.manage().setTimeouts({ pageLoad: timeout, script: PATIENCE });
  return driver;
}

/** Loads the page, and reads what the browser knows of it. */
async function read(driver: WebDriver, { page, timeout }: VisitWish) {
  const frame = await driver.getWindowHandle();
  await within(timeout + PATIENCE, driver.get(page), () => new Error('timed out'));
  const entries = await driver.manage().logs().get('performance');
  const events = entries.map(({ message }) => (JSON.parse(message) as { message: DevtoolsEvent }).message);
  const { page: answer, error, requests, bytes } = networkOf(events, frame);
  // A page that Chromium shows in its place, for a certificate say, counts as loaded.
  if (answer === undefined || error !== undefined) throw new Error(error ?? 'no answer');
  const entry = await driver.executeScript<NavigationEntry>(
    'return performance.getEntriesByType("navigation")[0].toJSON()',
  );
  const [url, title] = [await driver.getCurrentUrl(), await driver.getTitle()];
  const screenshot = Buffer.from(await driver.takeScreenshot(), 'base64');
  return { visit: { url, title, ...answer, timing: timingOf(entry), requests, bytes }, screenshot };
}

/** Visits a page with a browser of its own; its screenshot is a PNG. */
export async function visit(wish: VisitWish): Promise<{ visit: Visit; screenshot: Buffer }> {
  const driver = await openBrowser(wish);
  return read(driver, wish).catch((error: unknown) => {
    throw notHad(wish, messageOf(error));
  });
}
