/** `npx zx bench/quic.ts`: what switching paths costs a download over one QUIC connection, on near and on far proxies. */
import { cpus, loadavg } from 'node:os';
import { whole } from '../client/scripts/lib/flags.ts';
import { atEnd, command, EXIT, exitWith, Fault, main } from '../scripts/lib/cli.ts';
import { clientRun } from '../scripts/lib/lab/client.ts';
import { step } from '../scripts/lib/progress.ts';
import { orderOf } from './order.ts';
import {
  type Case,
  casesOf,
  delayText,
  type Extent,
  GROUPS,
  type Group,
  groupName,
  groupsFrom,
  smaller,
} from './quic/cases.ts';
import { goFar, roundTrips } from './quic/far.ts';
import { measure } from './quic/measure.ts';
import { Rig } from './quic/rig.ts';
import { rowOf, type Sample } from './quic/rows.ts';
import { cellsOf, HEAD, plot } from './quic/text.ts';
import { type Distance, verdictsOf } from './quic/verdict.ts';
import { machineHere, printFigures, writeResults } from './results.ts';

const WHOLE: Extent = {
  ...{ rounds: 3, other_rounds: 1, line_mbit: 40, queue_ms: 5, limit: 90 },
  periods: [0.5, 0.2, 0.1],
};
/** To see that it works; its figures say nothing. */
const QUICK: Extent = {
  ...{ rounds: 1, other_rounds: 1, line_mbit: 40, queue_ms: 5, limit: 40 },
  periods: [0.2],
};
/** At most, in a download of these. */
const QUICK_MEGABYTES = 10;

interface Flags {
  rounds?: number;
  queue?: number;
  only?: Group[];
  quick?: true;
}

/** All that was measured. */
interface Measured {
  samples: Map<Case, Sample[]>;
  far: Distance[];
  /** What went wrong, a text each; it costs the other figures nothing. */
  troubles: string[];
}

/** Groups with the same round trips, together: each of their rounds, in turn. */
function blocksOf(groups: readonly Group[]): Group[][] {
  const delays = [...new Set(groups.map(({ delays }) => delays))];
  return delays.map((one) => groups.filter((group) => group.delays === one));
}

class Run {
  private stopped = false;
  readonly measured: Measured = { samples: new Map(), far: [], troubles: [] };
  private readonly rig: Rig;
  private readonly extent: Extent;

  constructor(rig: Rig, extent: Extent) {
    this.rig = rig;
    this.extent = extent;
    // What fails because the lab is taken down is no news.
    atEnd(() => {
      this.stopped = true;
    });
  }

  private async take(one: Case, round: number): Promise<void> {
    try {
      const sample = await measure(this.rig, one, round, this.extent.limit);
      this.measured.samples.set(one, [...(this.measured.samples.get(one) ?? []), sample]);
    } catch (error) {
      if (this.stopped || !(error instanceof Fault)) throw error;
      console.error(String(error));
      this.measured.troubles.push(error.message);
    }
  }

  private async rounds(groups: readonly Group[]): Promise<void> {
    const { rounds, other_rounds } = this.extent;
    const all = groups.map((group) => ({
      ...{ group, cases: casesOf(group, this.extent), rounds: group.judged ? rounds : other_rounds },
    }));
    for (let round = 0; round < Math.max(rounds, other_rounds); round++)
      for (const { group, cases, rounds } of all.filter((one) => round < one.rounds)) {
        const work = async (): Promise<void> => {
          for (const one of group.judged ? orderOf(cases, round) : cases) await this.take(one, round);
        };
        await step(`${groupName(group)}: round ${round + 1} of ${rounds}`, work);
      }
  }

  /** Those at a distance; their proxies are there for that long. */
  private async far(groups: readonly Group[], wanted: Group['delays']): Promise<void> {
    const { lab, paths } = this.rig;
    const names = [...paths.values()];
    const alone = await roundTrips(lab, names);
    const far = await goFar(lab, [...paths.keys()], wanted);
    const { result } = await step(`round trips${delayText(wanted)}`, () => roundTrips(lab, names));
    await this.rounds(groups);
    this.measured.far.push({ wanted, alone, round_trips: result, precision: await far.stop() });
  }

  async all(groups: readonly Group[]): Promise<Measured> {
    for (const block of blocksOf(groups)) {
      const wanted = (block[0] as Group).delays;
      await (wanted.every((ms) => ms === 0) ? this.rounds(block) : this.far(block, wanted));
    }
    return this.measured;
  }
}

/** What the far proxies were, for a person. */
const farLine = ({ wanted, alone, round_trips, precision: { packets, lost, late } }: Distance): string =>
  `Far proxies${delayText(wanted)}: by ping ${round_trips.map((ms) => ms.toFixed(1)).join('/')} ms (alone ` +
  `${alone.map((ms) => ms.toFixed(1)).join('/')}); ${packets} packets, ${lost} lost, late by ` +
  `${(late.median * 1000).toFixed(1)} ms one way (p99 ${(late.p99 * 1000).toFixed(1)}).`;

async function bench({ rounds, queue, only, quick }: Flags): Promise<void> {
  const usual = quick ? QUICK : WHOLE;
  const extent = { ...usual, rounds: rounds ?? usual.rounds, queue_ms: queue ?? usual.queue_ms };
  const wanted = only ?? GROUPS;
  const groups = quick ? smaller(wanted, QUICK_MEGABYTES) : wanted;
  const began = performance.now();
  const browser = groups.some(({ client }) => client === 'Chromium');
  const { result: rig } = await step('a lab, set up in mode quic', () =>
    Rig.open(browser, extent.line_mbit, extent.queue_ms),
  );
  const before = loadavg()[0] ?? Number.NaN;
  const { samples, far, troubles } = await new Run(rig, extent).all(groups);
  const load_average = { before, after: loadavg()[0] ?? Number.NaN };
  const baseOf = ({ group }: Case): Sample[] =>
    [...samples].find(([one]) => one.group === group && one.period === null)?.[1] ?? [];
  const rows = [...samples].map(([one, own]) => rowOf(one, own, baseOf(one)));
  const verdicts = verdictsOf(rows, far);
  printFigures(HEAD, rows.map(cellsOf), verdicts);
  for (const line of far.map(farLine)) console.log(line);
  const chromium = browser ? (await clientRun(rig.lab, 'chromium', '--version')).trim() : null;
  const seconds = Math.round((performance.now() - began) / 1000);
  const result = {
    ...{ bench: 'quic', date: new Date().toISOString(), machine: machineHere(), load_average, seconds },
    ...{ chromium, extent, verdicts, troubles, far, rows },
    // As measured, each download.
    downloads: [...samples.entries()].map(([one, own]) => ({ ...one, samples: own })),
  };
  const foot = [
    `One QUIC connection on a line of ${extent.line_mbit} Mbit/s with a queue of ${extent.queue_ms} ms, over 3 paths in turn; medians of ${extent.rounds} rounds, of ${extent.other_rounds} but for Chromium on near proxies.`,
    `wireguard-go; ngtcp2’s server; all machines on ${cpus().length} processors, load ${before.toFixed(1)} before. “Over”: given up after ${extent.limit} s.`,
  ];
  const judged = !quick && only === undefined && queue === undefined;
  writeResults('quic', { judged, seconds }, result, plot(rows, foot));
  // A part judges nothing.
  const missed = judged && verdicts.some(({ verdict }) => verdict !== 'met');
  exitWith(missed || troubles.length > 0 ? EXIT.failed : EXIT.ok);
}

await main(
  command(
    'bench/quic.ts',
    'What switching paths costs a download over one QUIC connection, on near and on far proxies; writes bench/results/quic.{json,svg}',
  )
    .option(
      '--rounds <count>',
      'rounds of Chromium on near proxies, of which claims are made',
      whole('--rounds', { min: 1, max: 100 }),
    )
    .option(
      '--queue <ms>',
      'the queue of the line (default: 5); writes to the system’s folder for such files',
      whole('--queue', { min: 1, max: 1000 }),
    )
    .option(
      '--only <groups>',
      `some of ${GROUPS.map(({ key }) => key).join(', ')}; writes to the system’s folder for such files`,
      groupsFrom,
    )
    .option('--quick', 'all of it in two minutes or three, to see that it works; writes there as well')
    .action(bench),
);
