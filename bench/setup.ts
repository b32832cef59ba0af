/** `npx zx bench/setup.ts`: setting servers up, ours beside Ansible and the least that is possible, in one run on one lab. */
import { writeFileSync } from 'node:fs';
import { cpus, loadavg, release, tmpdir, totalmem } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { whole } from '../client/scripts/lib/flags.ts';
import { atEnd, command, EXIT, exitWith, Fault, main, paint } from '../scripts/lib/cli.ts';
import { makeDirectory, readText, writeText } from '../scripts/lib/files.ts';
import { INOTIFY_LIMIT, lackingInotify } from '../scripts/lib/lab/inotify.ts';
import { labDown, labUp, prepareLab } from '../scripts/lib/lab/lab.ts';
import { ensurePackages } from '../scripts/lib/lab/packages.ts';
import { seconds, step } from '../scripts/lib/progress.ts';
import { attempt } from '../scripts/lib/transport/local.ts';
import { table } from './figures.ts';
import { goFar, startCounting } from './setup/far.ts';
import { Group } from './setup/group.ts';
import { measure } from './setup/measure.ts';
import { plot } from './setup/plot.ts';
import { Rig } from './setup/rig.ts';
import { cellsOf, HEAD, rowsOf, type Sample } from './setup/rows.ts';
import { type Held, isText, type Verdict, verdictsOf } from './setup/verdict.ts';
import {
  type Case,
  CLAIMED,
  casesOf,
  isAnsible,
  nameOf,
  orderOf,
  WAYS,
  type Way,
  type What,
} from './setup/ways.ts';

const RESULTS = join(dirname(fileURLToPath(import.meta.url)), 'results');
const PACKAGES = ['ansible', 'ansible-mitogen', 'wireguard-tools', 'nftables'];
/** Milliseconds of the far network. */
const FAR = 80;

interface Flags {
  hosts: number[];
  rounds: number;
  without: Way[];
  ansibleUpTo: number;
  quick?: true;
}

/** Raises the kernel's limit where so many droplets need that, until the bench ends. */
async function makeRoom(droplets: number): Promise<void> {
  const needed = await lackingInotify(droplets);
  if (needed === undefined) return;
  const before = readText(INOTIFY_LIMIT);
  atEnd(() => writeFileSync(INOTIFY_LIMIT, before));
  writeFileSync(INOTIFY_LIMIT, String(needed));
  console.log(`fs.inotify.max_user_instances is ${needed} until the end; it was ${before.trim()}`);
}

async function openRig(droplets: number): Promise<Rig> {
  const name = `bench-${process.pid}`;
  atEnd(() => labDown(name).then(() => undefined));
  const lab = await labUp({ name, vpn: droplets - 1, comp: 1, python: true });
  await startCounting(lab);
  return Rig.open(lab);
}

function openGroup(): Group {
  const group = new Group(`comps-bench-${process.pid}`);
  atEnd(() => group.remove());
  return group;
}

/** Measures a case once: from nothing and again, or what knows no such difference. */
async function visit(rig: Rig, group: Group, one: Case, round: number): Promise<Sample[]> {
  const samples: Sample[] = [];
  const take = async (what: What): Promise<void> => {
    const sample = await measure(rig, group, one, what, round);
    samples.push(sample);
    console.log(
      `${paint.green('✓')} ${round + 1}: ${nameOf(one, what)} ${paint.dim(seconds(sample.wall * 1000))}`,
    );
  };
  if (one.way !== 'ours' && !isAnsible(one.way)) await take('once');
  else {
    await rig.reset(one);
    await take('cold');
    await rig.check(one);
    await take('no-op');
  }
  return samples;
}

interface Measured {
  samples: Sample[];
  /** What went wrong, a text each; it costs the other figures nothing. */
  troubles: string[];
}

/** All cases near by, round by round; then those far away. */
async function measureAll(rig: Rig, group: Group, flags: Flags): Promise<Measured> {
  const { hosts, rounds, without, ansibleUpTo, quick } = flags;
  const cases = casesOf({ hosts, without, ansibleUpTo, far: quick ? 0 : FAR });
  const samples: Sample[] = [];
  const troubles: string[] = [];
  let stopped = false;
  // What fails because the lab is taken down is no news.
  atEnd(() => {
    stopped = true;
  });
  const all = async (some: readonly Case[]): Promise<void> => {
    for (let round = 0; round < rounds; round++)
      for (const one of orderOf(some, round, rounds)) {
        try {
          samples.push(...(await visit(rig, group, one, round)));
        } catch (error) {
          if (stopped || !(error instanceof Fault)) throw error;
          console.error(String(error));
          troubles.push(error.message);
        }
      }
  };
  await all(cases.filter(({ delay }) => delay === 0));
  const far = cases.filter(({ delay }) => delay > 0);
  if (far.length === 0) return { samples, troubles };
  const near = await goFar(rig.lab, rig.addresses(Math.min(...hosts)), FAR);
  await all(far);
  await near();
  return { samples, troubles };
}

/** What a process holds that sets many hosts up three times. */
async function heldBy(rig: Rig, hosts: number): Promise<Held> {
  await rig.reset({ way: 'ours', hosts, delay: 0 });
  const { words, env } = rig.again(hosts, 3);
  const { code, stdout, stderr } = await attempt(rig.lab.words('ctl', words), { env });
  const last = stdout.trim().split('\n').at(-1) ?? '';
  if (code !== EXIT.ok || !last.startsWith('{'))
    throw new Fault({ at: 'again.ts', what: `${last} ${stderr}`.trim() });
  return JSON.parse(last);
}

function print(rows: ReturnType<typeof rowsOf>, verdicts: readonly Verdict[]): void {
  for (const line of table(HEAD, rows.map(cellsOf))) console.log(line);
  console.log();
  const colour = {
    ...{ met: paint.green, missed: paint.red },
    ...{ 'no limit': paint.cyan, 'not measured': paint.yellow },
  };
  for (const one of verdicts)
    console.log(`${colour[one.verdict](one.verdict.padEnd(12))} ${one.what}: ${isText(one)}`);
}

async function bench(given: Flags): Promise<void> {
  const flags = given.quick ? { ...given, hosts: [4], rounds: 1 } : given;
  const most = Math.max(...flags.hosts);
  const began = performance.now();
  await ensurePackages(PACKAGES);
  await prepareLab({ python: true });
  await makeRoom(most);
  const { result: rig } = await step(`a lab of ${most} droplets with Python, which is Ansible's need`, () =>
    openRig(most),
  );
  const group = openGroup();
  const load = { before: loadavg()[0] ?? Number.NaN, after: Number.NaN };
  const { samples, troubles } = await measureAll(rig, group, flags);
  const held = flags.without.includes('ours') || flags.quick ? undefined : await heldBy(rig, most);
  load.after = loadavg()[0] ?? Number.NaN;
  const rows = rowsOf(samples);
  const verdicts = verdictsOf(rows, most === 64 ? held : undefined);
  print(rows, verdicts);
  const machine = {
    ...{
      cpus: cpus().length,
      cpu: cpus()[0]?.model,
      memory: totalmem(),
      kernel: release(),
      node: process.version,
    },
    ansible: (await attempt(['dpkg-query', '-W', 'ansible', 'ansible-core', 'ansible-mitogen'])).stdout
      .trim()
      .split('\n'),
  };
  const took = Math.round((performance.now() - began) / 1000);
  const result = {
    ...{ bench: 'setup', date: new Date().toISOString(), machine, load_average: load, seconds: took },
    ...{ hosts: flags.hosts, rounds: flags.rounds, far: FAR, verdicts, held, troubles, rows, samples },
  };
  const foot = [
    `Medians of ${flags.rounds} rounds; of one for Ansible's defaults, and for Ansible at all with other than ${CLAIMED} servers or at ${FAR} ms.`,
    `Controller and droplets (Debian 12, wireguard-go) on the same ${cpus().length} processors, load ${load.before.toFixed(1)} before. “Nothing”: WireGuard's packages are there.`,
  ];
  const folder = flags.quick ? join(tmpdir(), 'comps-bench') : RESULTS;
  makeDirectory(folder);
  writeText(join(folder, 'setup.json'), `${JSON.stringify(result, null, 2)}\n`);
  writeText(join(folder, 'setup.svg'), plot(rows, foot));
  console.log(`\n${join(folder, 'setup.json')} and .svg, after ${took} s`);
  // A quick round judges nothing.
  const missed = !flags.quick && verdicts.some(({ verdict }) => verdict === 'missed');
  exitWith(missed || troubles.length > 0 ? EXIT.failed : EXIT.ok);
}

const several =
  <T>(read: (word: string) => T) =>
  (text: string): T[] =>
    text.split(',').map((word) => read(word.trim()));

const wayOf = (word: string): Way => {
  const way = WAYS.find((one) => one === word);
  if (way !== undefined) return way;
  throw new Fault({ at: `--without ${word}`, what: `expected some of ${WAYS.join(', ')}` });
};

await main(
  command(
    'bench/setup.ts',
    'What setting servers up costs, beside Ansible and the least that is possible; writes bench/results/setup.{json,svg}',
  )
    .option(
      '--hosts <counts>',
      'how many servers, the comp server among them',
      several(whole('--hosts', { min: 2, max: 65 })),
      [4, 16, 64],
    )
    .option(
      '--rounds <count>',
      'rounds of what is quick or claimed',
      whole('--rounds', { min: 1, max: 20 }),
      3,
    )
    .option('--without <ways>', `leaves out some of ${WAYS.join(', ')}`, several(wayOf), [])
    .option(
      '--ansible-up-to <count>',
      'the most servers that Ansible is tried on',
      whole('--ansible-up-to', { min: 2, max: 65 }),
      64,
    )
    .option(
      '--quick',
      'one round of 4 servers, to see that it works; writes to the system’s folder for such files',
    )
    .action(bench),
);
