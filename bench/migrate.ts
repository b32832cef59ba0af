/** `npx zx bench/migrate.ts`: what switching paths costs, ours beside the original's loop, in one run on one lab. */
import { cpus, loadavg } from 'node:os';
import { whole } from '../client/scripts/lib/flags.ts';
import { command, EXIT, exitWith, main } from '../scripts/lib/cli.ts';
import { clientRun } from '../scripts/lib/lab/client.ts';
import { ensurePackages } from '../scripts/lib/lab/packages.ts';
import { step } from '../scripts/lib/progress.ts';
import { labSetUp } from './lab.ts';
import { type Case, casesWith, nameOf } from './migrate/cases.ts';
import {
  type Extent,
  measurePackets,
  measureStreams,
  type Streams,
  type Traffic,
} from './migrate/measure.ts';
import { canSplit } from './migrate/movers.ts';
import { plot } from './migrate/plot.ts';
import { PACKET_SIZE, Rig } from './migrate/rig.ts';
import { rowOf } from './migrate/rows.ts';
import { HEAD, linesOf } from './migrate/text.ts';
import { verdictsOf } from './migrate/verdict.ts';
import { orderOf } from './order.ts';
import { machineHere, printFigures, writeResults } from './results.ts';

const WHOLE: Extent = {
  ...{ rounds: 5, line_seconds: 1.6, line_mbit: 40, free_seconds: 2, idle_seconds: 5 },
  ...{ packets: 7500, packets_per_second: 1250 },
  ...{ counted_packets: 100_000, counted_packets_per_second: 8000 },
};
/** To see that it works; its figures say nothing. */
const QUICK: Extent = {
  ...{ rounds: 1, line_seconds: 0.8, line_mbit: 40, free_seconds: 0.8, idle_seconds: 1 },
  ...{ packets: 1250, packets_per_second: 1250 },
  ...{ counted_packets: 5000, counted_packets_per_second: 5000 },
};

async function openRig(): Promise<Rig> {
  await ensurePackages(['python3-pyroute2']);
  return Rig.open(await labSetUp({}));
}

async function packetsOf(rig: Rig, cases: readonly Case[], extent: Extent): Promise<Map<Case, Traffic>> {
  const all = new Map<Case, Traffic>();
  for (const one of cases) {
    const { result } = await step(`packets: ${nameOf(one)}`, () => measurePackets(rig, one, extent));
    all.set(one, result);
  }
  return all;
}

/** Streams of each case, an element a round. */
async function streamsOf(
  rig: Rig,
  cases: readonly [Case, ...Case[]],
  extent: Extent,
): Promise<Map<Case, Streams[][]>> {
  const all = new Map<Case, Streams[][]>(cases.map((one) => [one, []]));
  for (let round = 0; round < extent.rounds; round++) {
    const work = async (): Promise<void> => {
      for (const one of orderOf(cases, round)) {
        const rounds = all.get(one) as Streams[][];
        rounds[round] = [...(rounds[round] ?? []), await measureStreams(rig, one, extent)];
      }
    };
    await step(`streams: round ${round + 1} of ${extent.rounds}`, work);
  }
  return all;
}

async function bench({ rounds, quick }: { rounds?: number; quick?: true }): Promise<void> {
  const usual = quick ? QUICK : WHOLE;
  const extent = { ...usual, rounds: rounds ?? usual.rounds };
  const began = performance.now();
  const { result: rig } = await step('a lab, set up', openRig);
  const cases = casesWith({ split: await canSplit(rig.lab) });
  const before = loadavg()[0] ?? Number.NaN;
  const packets = await packetsOf(rig, cases, extent);
  const streams = await streamsOf(rig, cases, extent);
  const load_average = { before, after: loadavg()[0] ?? Number.NaN };
  const base = streams.get(cases[0]) ?? [];
  const rows = cases.map((one) => rowOf(one, streams.get(one) ?? [], base, packets.get(one) as Traffic));
  const verdicts = verdictsOf(rows);
  printFigures(HEAD, rows.map(linesOf), verdicts);
  const congestion = (await clientRun(rig.lab, 'cat', '/proc/sys/net/ipv4/tcp_congestion_control')).trim();
  const result = {
    ...{ bench: 'migrate', date: new Date().toISOString(), machine: machineHere(), load_average },
    seconds: Math.round((performance.now() - began) / 1000),
    ...{ extent: { ...extent, packet_size: PACKET_SIZE, congestion }, verdicts, rows },
    // As measured: bits a second of each round.
    streams: cases.map((one) => ({ name: nameOf(one), rounds: streams.get(one) })),
  };
  const foot = [
    `Throughput: one TCP stream, median of ${extent.rounds} rounds, on a line of ${extent.line_mbit} Mbit/s; free: as fast as the processors carry it.`,
    `Packets: ${extent.packets} UDP at ${extent.packets_per_second} a second. wireguard-go; all machines on ${cpus().length} processors, load ${before.toFixed(1)} before.`,
  ];
  writeResults('migrate', { judged: !quick, seconds: result.seconds }, result, plot(rows, foot));
  // A quick round judges nothing.
  exitWith(!quick && verdicts.some(({ verdict }) => verdict === 'missed') ? EXIT.failed : EXIT.ok);
}

await main(
  command(
    'bench/migrate.ts',
    'What switching paths costs and what it lets past the tunnels, beside the original’s loop; writes bench/results/migrate.{json,svg}',
  )
    .option('--rounds <count>', 'rounds of streams', whole('--rounds', { min: 1, max: 100 }))
    .option(
      '--quick',
      'all of it in a minute or two, to see that it works; writes to the system’s folder for such files',
    )
    .action(bench),
);
