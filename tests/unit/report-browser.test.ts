import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { type Browser, chromium, type Page } from 'playwright-core';
import { until } from '../../scripts/lib/poll.ts';
import { runHere } from '../command.ts';
import { writeRun } from '../synthetic-run.ts';

const folder = mkdtempSync(join(tmpdir(), 'comps-report-browser-'));
const file = join(folder, 'report.html');
const HOSTILE = `</script><img src=x onerror="window.owned=1">'"\`{{x}}<script>window.owned=1</script><!--`;
const URLS = ['https://small.example/', 'https://large.example/', `https://hostile.example/${HOSTILE}`];
/** The smallest PNG picture: one pixel. */
const PIXEL =
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR4nGNgYPj/HwADAgH/p5HjKQAAAABJRU5ErkJggg==';

/** Puts hostile texts wherever a page, or what a page causes, is repeated. */
function spoil(visit: string): void {
  const path = join(folder, 'visits', visit, 'visit.json');
  const summary = JSON.parse(readFileSync(path, 'utf8'));
  Object.assign(summary, {
    title: HOSTILE,
    final_url: `javascript:${HOSTILE}`,
    notes: [HOSTILE],
    protocol: HOSTILE,
  });
  summary.checks = [{ name: HOSTILE, ok: false, detail: HOSTILE }];
  summary.failure = { kind: HOSTILE, message: HOSTILE };
  summary.status = 'failure';
  writeFileSync(path, JSON.stringify(summary));
}

let browser: Browser | undefined;
before(async () => {
  writeRun(folder, {
    urls: URLS,
    visits: 12,
    interfaces: Array.from({ length: 10 }, (_, i) => `wgnet${i + 1}`),
  });
  spoil('0002-0000.1');
  writeFileSync(join(folder, 'visits/0000-0000.1/page.png'), Buffer.from(PIXEL, 'base64'));
  const { code, stderr } = await runHere('scripts/report.ts', [folder, '--screenshots']);
  assert.equal(code, 0, stderr);
  browser = await chromium.launch({
    executablePath: '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-gpu'],
  });
});
after(async () => {
  await browser?.close();
  rmSync(folder, { recursive: true });
});

afterEach(async () => {
  for (const context of (browser as Browser).contexts()) await context.close();
});

interface Opened {
  page: Page;
  /** Requests, and what the console says. */
  heard: string[];
}

async function open(options: { width?: number; dark?: boolean } = {}): Promise<Opened> {
  const { width = 1400, dark = false } = options;
  const page = await (browser as Browser).newPage({
    viewport: { width, height: 900 },
    colorScheme: dark ? 'dark' : 'light',
  });
  const heard: string[] = [];
  page.on('console', (message) => heard.push(`${message.type()}: ${message.text()}`));
  page.on('pageerror', (error) => heard.push(`error: ${error.message}`));
  page.on('dialog', (dialog) => heard.push(`dialog: ${dialog.message()}`));
  page.on('request', (request) => {
    if (!request.url().startsWith('data:')) heard.push(request.url());
  });
  await page.goto(pathToFileURL(file).href);
  return { page, heard };
}

/** Canvas pixels that are not transparent, and how many colours they have. */
const painted = (page: Page, article: string) =>
  page
    .locator(`[id="${article}"] canvas`)
    .first()
    .evaluate((canvas) => {
      const { width, height, getContext } = canvas as unknown as {
        width: number;
        height: number;
        getContext: unknown;
      };
      if (typeof getContext !== 'function') return { pixels: 0, colors: 0 };
      const { data } = getContext.call(canvas, '2d').getImageData(0, 0, width, height);
      const colors = new Set<number>();
      let pixels = 0;
      for (let i = 0; i < data.length; i += 4)
        if (data[i + 3] === 255) {
          pixels++;
          colors.add((data[i] << 16) | (data[i + 1] << 8) | data[i + 2]);
        }
      return { pixels, colors: colors.size };
    });

const goTo = async (page: Page, article: string): Promise<void> => {
  await page.evaluate(`location.hash = ${JSON.stringify(article)}`);
  await page.locator(`[id="${article}"] canvas`).first().waitFor();
};

test('the page opens without a request, an error or a script of somebody else', async () => {
  const { page, heard } = await open();
  await goTo(page, 'v-0002-0000.1');
  assert.equal(await page.evaluate('window.owned'), undefined);
  assert.equal(await page.locator('img, iframe, object, [onerror]').count(), 0);
  const told = await page.locator('[id="v-0002-0000.1"]').innerText();
  for (const part of ['</script><img src=x onerror=', '{{x}}', '<!--']) assert.ok(told.includes(part), part);
  assert.equal(await page.locator('a[href]:not([href^="#"])').count(), 0, 'no link leads out of it');
  assert.deepEqual(heard, [pathToFileURL(file).href]);
});

test('the policy stops what a fault in the escaping would let in', async () => {
  const { page } = await open();
  await page.evaluate(
    `document.body.insertAdjacentHTML('beforeend', '<img src=x onerror="window.owned=1">')`,
  );
  await page.evaluate(
    `{const s = document.createElement('script'); s.textContent = 'window.owned=1'; document.body.append(s)}`,
  );
  await page.waitForTimeout(100);
  assert.equal(await page.evaluate('window.owned'), undefined);
  assert.match(String(await page.evaluate(`fetch('http://127.0.0.1:9/').catch(String)`)), /TypeError/);
});

for (const [width, dark] of [
  [1400, false],
  [390, true],
] as const)
  test(`plots are drawn when they are near, at ${width} pixels`, async () => {
    const { page } = await open({ width, dark });
    await goTo(page, 'v-0001-0003.1');
    const { pixels, colors } = await painted(page, 'v-0001-0003.1');
    assert.ok(pixels > 1000 && colors > 8, `${pixels} pixels of ${colors} colours`);
    const canvases = await page.locator('canvas').count();
    assert.ok(canvases < 24, `${canvases} canvases at once`);
    assert.equal(await page.evaluate('document.documentElement.scrollWidth'), width, 'nothing sticks out');
  });

test('what is under the pointer is told; a path can be hidden; keys zoom', async () => {
  const { page } = await open();
  const article = page.locator('[id="v-0001-0003.1"]');
  await goTo(page, 'v-0001-0003.1');
  await article.locator('.u-over').first().hover();
  assert.match(await article.locator('.readout').innerText(), /^\d\.\d{4} s · wgnet\d+ in force/);
  const before = await painted(page, 'v-0001-0003.1');
  for (const button of await article.locator('button.path').all()) await button.click();
  assert.equal(await article.locator('[aria-pressed="true"]').count(), 0);
  let left = before.colors;
  const isDrawn = async () => {
    left = (await painted(page, 'v-0001-0003.1')).colors;
    return left < before.colors;
  };
  assert.ok(await until(60_000, isDrawn), `${left} of ${before.colors} colours are left`);
  await article.locator('figure').focus();
  const labels = () => article.locator('figure').screenshot();
  const whole = await labels();
  await page.keyboard.press('+');
  assert.ok(await until(60_000, async () => !whole.equals(await labels())));
});

test('the filter, the way back from it, and the way from visit to visit', async () => {
  const { page } = await open();
  const shown = page.locator('article.visit:not([hidden])');
  await page.fill('[name=text]', 'LARGE.example 0003');
  assert.equal(await shown.count(), 1);
  await page.fill('[name=text]', 'nothing is like this');
  assert.ok(await page.locator('#no-match').isVisible());
  await page.click('#clear');
  const all = await shown.count();
  assert.equal(all, Number.parseInt(await page.locator('output').innerText(), 10));
  await page.selectOption('[name=status]', 'not');
  assert.equal(await shown.count(), 4);
  await goTo(page, 'v-0001-0003.1');
  assert.equal(await shown.count(), all);
  await page.click('a[data-site="2"]');
  assert.equal(await shown.count(), 12);
  await page.keyboard.press('j');
  await page.keyboard.press('j');
  assert.equal(await page.evaluate('document.activeElement.id'), 'v-0002-0001.1');
  await page.keyboard.press('k');
  assert.equal(await page.evaluate('document.activeElement.id'), 'v-0002-0000.1');
});

test('sites are sorted by the column that is asked for', async () => {
  const { page } = await open();
  const first = () => page.locator('table.sites tbody tr').first().locator('td').first().innerText();
  await page.click('table.sites th:has-text("Down, kB") button');
  assert.equal(await first(), '2');
  await page.click('table.sites th:has-text("Down, kB") button');
  assert.equal(await first(), '0');
});

test('a screenshot comes when it is asked for', async () => {
  const { page, heard } = await open();
  await goTo(page, 'v-0000-0000.1');
  await page.click('button.picture');
  assert.equal(
    await page
      .locator('.words img')
      .evaluate((image) => (image as unknown as { naturalWidth: number }).naturalWidth),
    1,
  );
  assert.equal(heard.length, 1);
});
