/** `npm test`: everything, the quickest to fail first. */

import { atEnd, command, EXIT, exitWith, Fault, main, paint } from '../scripts/lib/cli.ts';
import { list } from '../scripts/lib/files.ts';
import { ensureDocker, hasDocker } from '../scripts/lib/lab/engine-packages.ts';
import { checkHost } from '../scripts/lib/lab/host.ts';
import { ensurePackages } from '../scripts/lib/lab/packages.ts';
import { seconds } from '../scripts/lib/progress.ts';
import { handOver } from '../scripts/lib/transport/local.ts';
import { sweepAll } from './lab/sweep.ts';
import { inOrder, runFiles, type TestFile } from './lanes.ts';
import { leftOut, type Need, requiredIn, type Wish } from './leave-out.ts';
import { lastPage, skippedIn } from './summary.ts';

const testsIn = (folder: string): string[] =>
  list(`tests/${folder}`)
    .filter((name) => name.endsWith('.test.ts'))
    .map((name) => `tests/${folder}/${name}`);

/** Test files at a time, on two processors: each waits for something a good part of its time. */
const LANES = 3;

interface Part {
  name: string;
  words: string[];
}

const PARTS: Part[] = [
  { name: 'type check', words: ['npx', 'tsc', '--project', '.'] },
  { name: 'format and lint', words: ['npx', 'biome', 'ci', '--error-on-warnings', '.'] },
  { name: 'import rule', words: ['npx', 'depcruise', 'scripts', 'client/scripts', 'tests', 'bench'] },
];

/** Longest first, so that all lanes end at about the same time. */
const LONG = [
  ...['leaks', 'quicleaks', 'kernel', 'quic', 'collecthard', 'collect', 'collectnasty', 'collectfaults'],
  ...['check', 'rotate', 'collectsoak', 'quiccheck', 'quicsetup', 'setupfaults', 'migratesplit', 'setup'],
  ...['cloud', 'migratehealth', 'client', 'mtu'],
];

/** Those that wait for most of their time, for an API's answers: one at a time, beside others that work. */
const PATIENT = ['provision-kill', 'provision', 'provision-faults', 'provision-doubt'];

const UNITS = (): TestFile[] =>
  inOrder(testsIn('unit'), PATIENT).map((path) => ({
    ...{ path, brief: true },
    ...(PATIENT.some((name) => path.endsWith(`/${name}.test.ts`)) && { alone: 'patient' }),
  }));

/** What runs in labs. Docker's is one at a time: their engines have one store of images. */
const LABS: Record<Need, () => TestFile[]> = {
  docker: () => testsIn('docker').map((path) => ({ path, alone: 'engine' })),
  lab: () => inOrder(testsIn('lab'), LONG).map((path) => ({ path })),
};

/** All files in their order: those that go one after the other must begin at once, then what fails quickest. */
function filesBut(without: ReadonlyMap<Need, string>): TestFile[] {
  const labs = (need: Need): TestFile[] => (without.has(need) ? [] : LABS[need]());
  return [...labs('docker'), ...UNITS(), ...labs('lab')];
}

async function runPart({ name, words }: Part): Promise<boolean> {
  console.log(`\n${paint.bold(`== ${name}`)}`);
  const began = performance.now();
  const code = await handOver(words);
  const took = seconds(performance.now() - began);
  console.log(
    code === 0 ? paint.green(`== ${name}: good, ${took}`) : paint.red(`== ${name}: failed, ${took}`),
  );
  // 128 and a signal's number: told to stop, not failed.
  if (code > 128) throw new Fault({ what: `${name}: stopped`, code: EXIT.interrupted });
  return code === 0;
}

/** The tools that tests call; refuses with the command that installs them where it cannot. */
async function prepare(without: ReadonlyMap<Need, string>): Promise<void> {
  await ensurePackages([
    ...['wireguard-tools', 'wireguard-go', 'iproute2', 'nftables', 'tcpdump', 'openssl', 'chromium'],
    ...['python3-numpy', 'python3-dpkt', 'ansible-core', 'openssh-client'],
  ]);
  if (!without.has('lab')) await checkHost();
  if (!without.has('docker')) await ensureDocker();
}

async function test(wish: Wish): Promise<number> {
  const without = leftOut(wish, requiredIn(process.env.COMPS_REQUIRE ?? ''), await hasDocker());
  await prepare(without);
  // Test files that are ended, by Ctrl-C say, cannot take their labs down themselves.
  if (!without.has('lab')) atEnd(sweepAll);
  const failed: string[] = [];
  for (const part of PARTS) if (!(await runPart(part))) failed.push(part.name);
  const files = filesBut(without);
  console.log(`\n${paint.bold(`== ${files.length} test files, ${LANES} at a time`)}`);
  const results = await runFiles(files, LANES);
  failed.push(...results.filter(({ good }) => !good).map(({ path }) => path));
  console.log(lastPage(results));
  const left = [...[...without].map(([need, reason]) => `${need} tests (${reason})`), ...skippedIn(results)];
  if (left.length > 0) console.log(paint.yellow(`\nNOT RUN: ${left.join('\n         ')}`));
  if (failed.length > 0) throw new Fault({ what: `failed: ${failed.join(', ')}`, code: EXIT.failed });
  console.log(paint.green(`\n${left.length > 0 ? 'All that was run is good.' : 'Everything is good.'}`));
  return EXIT.ok;
}

await main(
  command(
    'npm test --',
    'everything: types, lint, import rule, unit tests, the lab (real machines; needs root), and Docker in the lab',
  )
    .option('--no-lab', 'leave out what needs root and network namespaces, and Docker with it')
    .option(
      '--no-docker',
      'leave out what needs a Docker engine; it is left out too where Docker is not installed',
    )
    .action(async (wish: Wish) => exitWith(await test(wish))),
);
