/**
 * The floor of bench/visit.ts, inside the client: a page in a fresh Chromium, no captures, no migration.
 * `node bare-load.mjs URL…`; prints a line a URL: seconds of start, load and end.
 */
import { systemClock } from '/comps/lib/clock.ts';
import { Browser } from '/comps/lib/collect/browser.ts';
import { browserUser, makeProfile, openScratch } from '/comps/lib/collect/profile.ts';
import { remove } from '/comps/lib/folders.ts';

const scratch = openScratch();
const user = browserUser();
const clock = systemClock();
const now = () => clock.epoch(clock.now());
for (const url of process.argv.slice(2)) {
  const began = now();
  const profile = makeProfile(scratch, user);
  const browser = await Browser.open({
    profile,
    user,
    sandbox: true,
    har: undefined,
    keylog: undefined,
    now,
  });
  const started = now();
  await browser.load(url, 30_000);
  const loaded = now();
  await browser.close();
  console.log(JSON.stringify({ url, start: started - began, load: loaded - started, end: now() - loaded }));
}
remove(scratch);
process.exit(0);
