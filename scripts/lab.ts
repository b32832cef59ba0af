/** `lab.ts up|down|status|exec|cloud`: the whole network on this computer, for trying things out. */
import { relative } from 'node:path';
import { command, duration, exitWith, main, paint, userArguments } from './lib/cli.ts';
import { judgeFlags, startCloud, stopCloud } from './lib/lab/cloud.ts';
import { cloudPid, inventoryFile, SERVE, settingsFile } from './lib/lab/cloud-seat.ts';
import { usage } from './lib/lab/cloud-texts.ts';
import { wakeDroplets } from './lib/lab/cloud-wake.ts';
import { startEngine } from './lib/lab/engine.ts';
import { execIn } from './lib/lab/exec.ts';
import { bringUp, bringUpForCloud, type Lab, labDown, prepareLab } from './lib/lab/lab.ts';
import { labCommand, placeOf } from './lib/lab/place.ts';
import { shapeFrom } from './lib/lab/roles.ts';
import { setupWords } from './lib/lab/setup.ts';
import { labStatus } from './lib/lab/status.ts';
import { seconds } from './lib/progress.ts';
import { quoteAll } from './lib/shell.ts';

const NAME = ['--name <name>', 'which lab; several can stand side by side', 'lab'] as const;
const plural = (count: number, word: string): string => `${count} ${word}${count === 1 ? '' : 's'}`;
const here = (path: string): string => relative(process.cwd(), path) || '.';

function introduce(lab: Lab, engine: boolean): void {
  const { name, directory, shape } = lab;
  const exec = labCommand('exec', name);
  const folder = here(directory);
  console.log(
    `  files     ${folder}/hosts.ini  config.cfg  id_ed25519  known_hosts  site-ca.pem  site/access.log  site/h3.log`,
  );
  console.log(
    '  sites     https://www.example.org  small.  many.  large.  quic.example.org (also by HTTP/3)',
  );
  console.log(`  set up    ${exec} -- ${quoteAll(setupWords(lab))}`);
  console.log(`  look in   ${exec} vpn${shape.vpn} -- ip addr`);
  if (engine) console.log(`  docker    ${exec} engine -- docker ps`);
  console.log(`  end       ${labCommand('down', name)}`);
}

/** Starts a Docker engine where one is asked for, and one that is down; whether it did. */
async function withEngine(lab: Lab, asked?: true, mirror?: string): Promise<boolean> {
  const { machines } = await labStatus(lab.name);
  const engine = machines.find(({ role }) => role === 'engine');
  if (engine === undefined ? !asked : engine.up) return false;
  const began = performance.now();
  await startEngine(lab, { mirror });
  console.log(`${paint.green('✓')} its Docker engine is up ${paint.dim(seconds(performance.now() - began))}`);
  return true;
}

interface UpFlags {
  name: string;
  vpn: string;
  comp: string;
  mirror?: string;
  engine?: true;
  browser?: true;
  ipv6?: true;
}

async function up({ name, vpn, comp, mirror, engine, browser, ipv6 }: UpFlags): Promise<void> {
  const shape = shapeFrom({ vpn, comp });
  await prepareLab({ browser, mirror });
  const began = performance.now();
  const { lab, decision } = await bringUp({ name, ...shape, browser, ipv6 });
  const took = seconds(performance.now() - began);
  const what = `${plural(shape.vpn, 'vpn')} + ${shape.comp} comp, ${browser ? 'a client with Chromium' : 'a client'}, web sites, a controller`;
  const started = await withEngine(lab, engine, mirror);
  if (decision.do === 'nothing')
    return console.log(
      `The lab "${name}" is up already; ${started ? 'its engine is now' : 'nothing changed'}.`,
    );
  if (decision.do === 'start') {
    console.log(`Started ${decision.roles.join(', ')} again, as new (${took}).`);
    if (decision.roles.includes('client'))
      console.log(`  its tunnels  ${labCommand('exec', name)} client -- /etc/wireguard/setup.sh`);
    return;
  }
  console.log(`${paint.green('✓')} the lab "${name}" is up (${what}) ${paint.dim(took)}`);
  introduce(lab, started);
}

async function down({ name }: { name: string }): Promise<void> {
  const began = performance.now();
  const { machines, namespaces, folder } = await labDown(name);
  if (machines + namespaces === 0 && !folder) return console.log(`There is no lab "${name}"; nothing to do.`);
  const took = seconds(performance.now() - began);
  const what = `${plural(machines, 'machine')}, ${plural(namespaces, 'namespace')}`;
  console.log(`${paint.green('✓')} the lab "${name}" is gone (${what}) ${paint.dim(took)}`);
}

async function status({ name, json }: { name: string; json?: boolean }): Promise<void> {
  const found = await labStatus(name);
  if (json) return console.log(JSON.stringify(found, null, 2));
  const { up, browser, remains, machines, directory, clientDirectory, cloud } = found;
  const next = remains ? `\`up\` or \`down\` clears its remains` : '`up` makes it';
  if (machines.length === 0) return console.log(`The lab "${name}" is not up; ${next}.`);
  const verb = machines.some(({ role }) => role.startsWith('vpn')) ? 'up' : 'cloud';
  const word = up ? 'up' : remains ? `not whole; ${next}` : `up in part; \`${verb}\` starts what is down`;
  console.log(`The lab "${name}" is ${word}.`);
  for (const { role, name: called = '', address, up, pid } of machines)
    console.log(
      `  ${role.padEnd(9)} ${address.padEnd(15)} ${up ? paint.green('up  ') : paint.red('down')} ${pid ?? ''} ${called}${browser && role === 'client' ? 'with Chromium' : ''}`.trimEnd(),
    );
  if (cloud !== null) console.log(`  its cloud's API runs (${cloud}): ${labCommand('cloud', name)}`);
  console.log(`  files          ${here(directory)}\n  client's files ${here(clientDirectory)}`);
}

interface CloudFlags {
  name: string;
  spec?: string;
  fault: string[];
  delay?: number;
  stop?: true;
}

const collect = (one: string, others: string[]): string[] => [...others, one];

function introduceCloud(lab: Lab): void {
  const { name, directory, clientDirectory } = lab;
  const files = {
    inventory: here(inventoryFile(lab)),
    settings: here(settingsFile(lab)),
    output: here(clientDirectory),
  };
  const exec = labCommand('exec', name);
  console.log(`  files     ${here(directory)}/cloud.ini  cloud.cfg  cloud.env  log/cloud.log`);
  for (const [title, line] of usage(exec, files)) console.log(`  ${title.padEnd(9)} ${line}`);
  console.log(`  end       ${labCommand('down', name)}`);
}

async function cloud({ name, stop, ...flags }: CloudFlags): Promise<void> {
  if (stop) {
    const ended = await stopCloud({ name });
    return console.log(
      ended ? `The cloud's API of "${name}" has ended; its droplets stay.` : 'It does not run.',
    );
  }
  await judgeFlags(flags);
  const began = performance.now();
  const { lab } = await bringUpForCloud(name);
  const given = flags.spec !== undefined || flags.delay !== undefined || flags.fault.length > 0;
  const started = await startCloud(lab, flags, given);
  const woken = await wakeDroplets(lab);
  const took = paint.dim(seconds(performance.now() - began));
  const done = paint.green('✓');
  if (started === 'started')
    console.log(`${done} the lab "${name}" has a DigitalOcean API in its controller ${took}`);
  else if (started === 'started anew')
    console.log(`${done} the API of "${name}" was started anew with these flags; its droplets stay ${took}`);
  else console.log(`The API of "${name}" is running already (process ${cloudPid(placeOf(name))}).`);
  if (woken.length > 0)
    console.log(`${done} started ${woken.join(', ')} again, as new: wgnet-setup.ts sets them up`);
  introduceCloud(lab);
}

const program = command('lab.ts', 'A whole network on this computer').enablePositionalOptions();

program
  .command('up')
  .description(
    'start droplets, a client, web sites (quic.example.org also by HTTP/3) and a controller; needs root',
  )
  .option(...NAME)
  .option('--vpn <count>', 'droplets in [vpn], 1 to 64; the last has no WireGuard yet', '3')
  .option('--comp <count>', 'droplets in [comp]', '1')
  .option('--mirror <url>', "Debian mirror for the first time; apt's own unless given")
  .option('--engine', 'also a Docker engine; in a lab that is up too')
  .option('--browser', 'a client with Chromium; in a lab that is up the client is started anew')
  .option('--ipv6', 'everyone has IPv6 as well, and hosts.ini names the proxies by it')
  .action(up);

program
  .command('down')
  .description('remove all that `up` made, also what a crash left')
  .option(...NAME)
  .action(down);

program
  .command('status')
  .description('who is up, and where')
  .option(...NAME)
  .option('--json', 'for programs')
  .action(status);

program
  .command('cloud')
  .description(
    "start a DigitalOcean API that makes droplets in the lab, the lab where it isn't up, and droplets that are down; with flags, an API that runs is started anew",
  )
  .option(...NAME)
  .option('--spec <file>', 'the official OpenAPI document: all requests and answers are checked against it')
  .option('--fault <fault>', 'a fault on demand, as 429:POST /v2/droplets:2; may be repeated', collect, [])
  .option('--delay <seconds>', 'from the order of a droplet until it is active', duration)
  .option('--stop', 'end it; its droplets stay, and it knows them when it is started again')
  .action(cloud);

program
  .command(SERVE, { hidden: true })
  .requiredOption(...NAME)
  .option('--spec <file>')
  .option('--fault <fault>', '', collect, [])
  .option('--delay <seconds>', '', Number)
  .action(async ({ name, ...flags }: CloudFlags) => {
    // Read by the API's own process alone: it is much.
    const { serveCloud } = await import('./lib/lab/cloud/daemon.ts');
    await serveCloud(name, flags);
  });

program
  .command('exec')
  .usage('[--name NAME] [HOST] -- CMD...')
  .description(
    'run CMD in the controller, or in HOST: vpn1, comp1, client, engine, inet, net, a droplet (or its address); a shell without CMD',
  )
  .option(...NAME)
  .argument('[words...]', 'HOST and CMD')
  .passThroughOptions()
  .allowUnknownOption()
  .action(async (words: string[], { name }: { name: string }) => {
    exitWith(await execIn(name, words, userArguments(process.argv)));
  });

await main(program);
