import { isIP, isIPv4, isIPv6 } from 'node:net';
import { mendLeftovers } from './lib/check/put-back.ts';
import { check } from './lib/check/run.ts';
import { GROUPS, type Group, linesOf, paintFor, summaryOf, verdictOf } from './lib/check/verdict.ts';
import { command, exitWith, main } from './lib/command.ts';
import { EXIT } from './lib/fault.ts';
import { badFlag } from './lib/flags.ts';
import { takeLock } from './lib/lock.ts';
import { type Mode, modeFlag } from './lib/mode.ts';
import { requireNetAdmin } from './lib/privilege.ts';

interface Flags {
  target: string[];
  exitUrl?: string;
  gentle: boolean;
  mode?: Mode;
  json?: true;
}

/** Of the ranges for documentation (RFC 5737, RFC 3849): nobody has them. */
const TARGETS = ['192.0.2.1', '2001:db8::1'];

function targetIn(text: string, others: string[]): string[] {
  if (isIP(text) === 0) throw badFlag('--target', text, 'an IPv4 or IPv6 address');
  return [...others, text];
}

/** Those given, and the usual one of a family of which none is. */
const targetsOf = (given: readonly string[]): string[] => [
  ...given,
  ...(given.some((address) => isIPv4(address)) ? [] : TARGETS.filter(isIPv4)),
  ...(given.some((address) => isIPv6(address)) ? [] : TARGETS.filter(isIPv6)),
];

function pageIn(text: string): string {
  if (/^https?:\/\//.test(text) && URL.canParse(text)) return text;
  throw badFlag('--exit-url', text, 'a URL such as http://203.0.113.80/ip');
}

async function run({ target, exitUrl, gentle, mode, json }: Flags): Promise<void> {
  const began = Date.now();
  requireNetAdmin();
  await takeLock('comps-check', 'another check.ts');
  const mended = mendLeftovers();
  if (mended) console.error('notice: a check that was killed had left something broken; it is put back');
  const paint = paintFor(process.stdout.isTTY === true, process.env);
  let title: Group | undefined;
  const { checks, ...rest } = await check(
    { targets: targetsOf(target), exitUrl, gentle, mode },
    (group, findings) => {
      if (json) return;
      if (group !== title) console.log(paint('bold', `${title === undefined ? '' : '\n'}${GROUPS[group]}`));
      title = group;
      for (const finding of findings) console.log(linesOf(finding, paint).join('\n'));
    },
  );
  const verdict = verdictOf(checks);
  const seconds = Math.round((Date.now() - began) / 100) / 10;
  if (json) {
    const time = new Date(began).toISOString();
    const { mode: judged, devices, tunnels, leaks } = rest;
    const document = { version: 1, verdict, mode: judged, time, seconds, devices, tunnels, checks, leaks };
    console.log(JSON.stringify(document, null, 2));
  } else console.log(`\n${summaryOf(checks, paint)} (${seconds} s)`);
  if (verdict !== 'ok') exitWith(EXIT.failed);
}

const program = command(
  'check.ts',
  'Says whether anything can leave this client past its tunnels: what is in force, what probes do, what happens when something breaks.',
)
  .option(
    '--target <address>',
    `where probes are sent, in vain where all is closed; may be repeated (default: ${TARGETS.join(' and ')})`,
    targetIn,
    [],
  )
  .option(
    '--exit-url <url>',
    'a page that prints the caller’s address: asked by each path alone, and as every program goes',
    pageIn,
  )
  .option(
    '--gentle',
    'interrupt nothing: leave out what breaks something for a moment to see what happens',
    false,
  )
  .addOption(modeFlag())
  .option('--json', 'one JSON document, for programs')
  .addHelpText(
    'after',
    `
A line each: ok; NOT OK, with the reason and the next command; left out, with the reason. Beside --target, probes go to the
resolver and to the real interface's gateway. Where a migrate.ts or fetch_websites.ts runs, it is as with --gentle; one that
is started while something is broken on purpose is refused.
What it breaks it puts back, also at Ctrl-C; after a kill -9, the next check does, or /etc/wireguard/setup.sh up.
Exit 0: all is ok. 2: something is not. 1: it cannot be run here.`,
  )
  .action(run);

await main(program);
