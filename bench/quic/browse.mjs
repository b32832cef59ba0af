/**
 * A page by HTTP/3 in a fresh Chromium, as fetch_websites.ts starts it, inside the lab's client: `node browse.mjs URL SECONDS`. Prints
 * what the page found of its own download (its `<pre id="result">`), or `{"trouble":…}`.
 */
import { systemClock } from '/comps/lib/clock.ts';
import { Browser } from '/comps/lib/collect/browser.ts';
import { browserUser, makeProfile, openScratch } from '/comps/lib/collect/profile.ts';
import { remove } from '/comps/lib/folders.ts';

const [url, seconds] = process.argv.slice(2);
const scratch = openScratch();
const user = browserUser();
const clock = systemClock();
const now = () => clock.epoch(clock.now());
const browser = await Browser.open({
  profile: makeProfile(scratch, user),
  user,
  sandbox: true,
  har: undefined,
  keylog: undefined,
  quic: '*',
  now,
});
try {
  await browser.load(url, Number(seconds) * 1000);
  const { source } = await browser.facts();
  const found = /<pre id="result">([^<]*)<\/pre>/.exec(source)?.[1];
  console.log(found?.replaceAll('&quot;', '"') ?? JSON.stringify({ trouble: 'the page has no result' }));
} catch (error) {
  console.log(JSON.stringify({ trouble: error.message, kind: error.kind }));
}
await browser.close();
remove(scratch);
process.exit(0);
