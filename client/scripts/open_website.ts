/** Opens a page in a browser behind the tunnels, and tells what came; runs on the computer itself. */
import { command, exitWith, main } from './lib/command.ts';
import { EXIT } from './lib/fault.ts';
import { requirePlace, writeFile } from './lib/files.ts';
import { badFlag, decimal } from './lib/flags.ts';
import { pageUrl, screenshotName, visitLines } from './lib/visit.ts';
import { visit } from './lib/webdriver.ts';

interface Flags {
  webdriver: string;
  timeout: number;
  /** A file; true where none was named, false where none is wanted. */
  screenshot: string | boolean;
  sandbox: boolean;
  json: boolean;
}

/** A WebDriver's URL without the slash that people end it with. */
function serverUrl(text: string): string {
  if (!URL.canParse(text) || !/^https?:/.test(text))
    throw badFlag('--webdriver', text, 'a URL such as http://127.0.0.1:4444');
  return text.replace(/\/+$/, '');
}

async function open(address: string, flags: Flags): Promise<void> {
  const page = pageUrl(address);
  const file = flags.screenshot === true ? screenshotName(page) : flags.screenshot || undefined;
  if (file !== undefined) requirePlace(file, '--screenshot');
  const wish = { server: flags.webdriver, page, timeout: flags.timeout * 1000, sandbox: flags.sandbox };
  const { visit: found, screenshot } = await visit(wish);
  if (file !== undefined) writeFile(file, screenshot, '--screenshot');
  if (flags.json) console.log(JSON.stringify({ ...found, screenshot: file ?? null }));
  else for (const line of visitLines(found, file)) console.log(line);
  if (found.status >= 400) exitWith(EXIT.failed);
}

const program = command('open_website.ts', 'Opens a page in the browser of the wg-migrate demo.')
  .argument('<page>', 'a name or an address; over HTTPS unless it says http://')
  .option('--webdriver <url>', 'where the browser is driven', serverUrl, 'http://127.0.0.1:4444')
  .option(
    '--timeout <seconds>',
    'for the page to load',
    decimal('--timeout', { min: 0.1, max: 3600, of: 'of seconds' }),
    60,
  )
  .option('--screenshot <file>', 'PNG (default: the page’s host name, here)', true)
  .option('--no-screenshot', 'make none')
  .option('--no-sandbox', 'where Chromium may not make its sandbox: pages are then less shut in')
  .option('--json', 'for programs; times in ms', false)
  .addHelpText(
    'after',
    `
Every visit has a fresh profile, and no traffic but the page's own.
Exit codes: 0 the page came; 1 refused (what was typed); 2 the page could not be had, its status is 400 or more, or
the browser did not start; 4 no WebDriver answers; 99 interrupted.`,
  )
  .action(open);

await main(program);
