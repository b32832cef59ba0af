/** The whole network on this computer: lab, set-up, client, migration, a page through it, and what came of it. */
import { relative } from 'node:path';
import { Option } from 'commander';
import { TIMED } from '../client/scripts/lib/strategy.ts';
import { atEnd, command, duration, EXIT, exitWith, Fault, main } from './lib/cli.ts';
import { MODES, type Mode, parseConfig } from './lib/config.ts';
import { readText } from './lib/files.ts';
import { networkOf, parseInventory } from './lib/inventory.ts';
import { capture, leakFilterFor } from './lib/lab/capture.ts';
import { clientRun } from './lib/lab/client.ts';
import { startCloud } from './lib/lab/cloud.ts';
import { dropletNames, lackingOf } from './lib/lab/cloud-ask.ts';
import { inventoryFile, settingsFile } from './lib/lab/cloud-seat.ts';
import { fetchUnderMigration, type Migration } from './lib/lab/demo-fetch.ts';
import { DEMO_URL, fetchByQuic } from './lib/lab/demo-quic.ts';
import { bringUpForCloud, type Lab, labDown, prepareLab } from './lib/lab/lab.ts';
import { labCommand, placeOf } from './lib/lab/place.ts';
import { LAB_SERVERS } from './lib/lab/roles.ts';
import { type AccountCommand, runAccount, type SetupOutcome, total } from './lib/lab/setup.ts';
import { type Findings, holds, summary } from './lib/lab/summary.ts';
import { withLock } from './lib/lock.ts';
import { step } from './lib/progress.ts';
import { endpointIn } from './lib/wireguard/write-client.ts';

interface Options extends Migration {
  keep: boolean;
  name: string;
}

/** As given: the period is the mode's own where none is, as each move makes QUIC's congestion control begin again. */
type Given = Omit<Options, 'period'> & { period?: number };
const PERIODS = { wireguard: 0.1, quic: 0.2 };

/** One of the commands that must reach every host; what it said is shown when it does not. */
async function must(lab: Lab, name: AccountCommand, ...flags: string[]): Promise<SetupOutcome> {
  const outcome = await runAccount(lab, name, ...flags);
  if (outcome.code === EXIT.ok) return outcome;
  throw new Fault({
    at: name,
    what: `exit code ${outcome.code}\n${outcome.stdout}${outcome.stderr}`,
    code: outcome.code,
  });
}

/** One demo of a name at a time: both would move the same route. */
const alone = (name: string, work: () => Promise<number>): Promise<number> =>
  withLock(
    `demo ${placeOf(name).prefix}`,
    () => {
      throw new Fault({
        what: `another demo of the lab "${name}" is running`,
        next: 'npm run demo -- --name second',
      });
    },
    work,
  );

/** Refuses to write over the client's files of a real network. */
function spareRealFiles(directory: string): void {
  const endpoint = endpointIn(directory);
  if (endpoint === undefined || endpoint.startsWith(LAB_SERVERS)) return;
  throw new Fault({
    at: relative(process.cwd(), directory),
    what: `holds the client's files of a network of yours (server ${endpoint}), and the demo would write over them`,
    next: 'npm run demo -- --name try',
  });
}

/** What the account's files ask for in a mode. */
function wishOf(lab: Lab, mode: Mode) {
  const file = settingsFile(lab);
  const { tag, vpns, comps } = parseConfig(readText(file), file).config;
  return { tag, names: [...vpns, ...(mode === 'quic' ? [] : comps)].map(({ name }) => name) };
}

/** The addresses of the servers that provisioning has written down; of `comp` '' where there is none. */
function serversOf(lab: Lab, mode: Mode) {
  const file = inventoryFile(lab);
  const { vpn, comp } = networkOf(parseInventory(readText(file), file), mode);
  return { proxies: vpn.map(({ address }) => address), comp: comp?.address ?? '' };
}

async function demo(options: Options): Promise<number> {
  const { mode } = options;
  const times: [string, number][] = [];
  const timed = async <T>(title: string, work: () => Promise<T>): Promise<T> => {
    const { result, ms } = await step(title, work);
    times.push([title, ms]);
    return result;
  };
  spareRealFiles(placeOf(options.name).clientDirectory);
  await prepareLab();
  const { lab, decision } = await timed('lab up', () => bringUpForCloud(options.name));
  // A lab that stood before is not the demo's to take down, nor are the droplets that it had.
  const stays = options.keep || decision.do !== 'build';
  if (!stays) atEnd(async () => void (await labDown(options.name)));
  await timed('its DigitalOcean API', () => startCloud(lab, { delay: 0.8 }));
  const wish = wishOf(lab, mode);
  const before = await dropletNames(lab, wish.tag);
  const count = wish.names.length;

  await timed(`${count} droplets`, () => must(lab, 'provision.ts', '--mode', mode));
  const made = (await dropletNames(lab, wish.tag)).length - before.length;
  await timed(`set-up of ${count} servers`, () => must(lab, 'wgnet-setup.ts', '--mode', mode));
  const again = await timed('both again', () => must(lab, 'main.ts', '--mode', mode));
  await timed('client up', () => clientRun(lab, '/etc/wireguard/setup.sh', 'up'));
  const { proxies, comp } = serversOf(lab, mode);
  const leaks = await capture(lab, 'leaks', leakFilterFor(proxies));
  const fetched =
    mode === 'quic'
      ? await timed('10 MB by QUIC under migration', async () => ({
          ...{ mode, proxies },
          ...(await fetchByQuic(lab, options)),
        }))
      : await timed('a page and 10 MB under migration', async () => ({
          ...{ mode, comp },
          ...(await fetchUnderMigration(lab, options)),
        }));
  const leaked = await leaks.stop();

  let left: number | undefined;
  if (!options.keep && before.length === 0) {
    await timed('droplets deleted', () => must(lab, 'teardown.ts', '--yes'));
    left = (await dropletNames(lab, wish.tag)).length;
  }
  const toMake = lackingOf(wish.names, before);
  const secondRunChanged = total(again, 'changed');
  const found: Findings = { times, made, toMake, left, secondRunChanged, leaked, ...fetched };
  for (const line of summary(found, lab, { ...options, stays })) console.log(line);
  if (stays) {
    console.log(`\nThe lab stands. Look around: ${labCommand('exec', options.name)} client -- ip rule`);
    if (mode === 'quic')
      console.log(
        `The file once more:          ${labCommand('exec', options.name)} client -- curl --http3-only -o /dev/null ${DEMO_URL}`,
      );
    console.log(`Take it down:                ${labCommand('down', options.name)}`);
  }
  return holds(found) ? EXIT.ok : EXIT.failed;
}

await main(
  command('npm run demo --', 'the whole network on this computer, and a page through it')
    .addOption(
      new Option('--mode <mode>', 'all in wg0, to a comp server; or straight into the tunnels, for QUIC')
        .choices(MODES)
        .default('wireguard'),
    )
    .option('--keep', 'leave the lab standing', false)
    .option('--name <name>', 'which lab', 'lab')
    .option('--seconds <seconds>', 'how long the download under migration is to last', duration, 5)
    .option('--period <seconds>', 'time between two switches (0.1; in mode quic 0.2)', duration)
    .addOption(
      new Option('--strategy <name>', 'how the next path is chosen')
        .choices(TIMED.filter((name) => name !== 'fixed'))
        .default('rr'),
    )
    .option('--seed <number>', 'repeats the schedule', '1')
    .action(async (given: Given) => {
      const options = { ...given, period: given.period ?? PERIODS[given.mode] };
      exitWith(await alone(options.name, () => demo(options)));
    }),
);
