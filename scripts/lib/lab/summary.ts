/** What the demo found, as lines for a person. */
import { join, relative } from 'node:path';
import { paint } from '../cli.ts';
import { seconds } from '../progress.ts';
import { inventoryFile } from './cloud-seat.ts';
import type { Lab } from './open.ts';

/** What the summary tells; times in ms. */
export interface Findings {
  times: [string, number][];
  bytes: Map<string, number>;
  switches: number;
  /** Paths that the switch log names. */
  scheduled: readonly string[];
  title: string | undefined;
  sawAddress: string;
  comp: string;
  /** Droplets that the demo made, and was to make. */
  made: number;
  toMake: number;
  /** Droplets of the project that its tear-down left; undefined where they were to stay. */
  left: number | undefined;
  leaked: number;
  secondRunChanged: number;
}

const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`;

interface Claim {
  what: string;
  found: string;
  wanted: string;
}

/** Scheduled paths that carried more than keepalives: over 1 kB. */
const carried = ({ scheduled, bytes }: Findings): readonly string[] =>
  scheduled.filter((path) => (bytes.get(path) ?? 0) > 1000);

/** Everything that the demo is there to show. */
const claimsOf = (found: Findings): Claim[] => [
  { what: 'droplets made', found: String(found.made), wanted: String(found.toMake) },
  { what: 'the page came, its title is', found: found.title ?? 'none', wanted: 'CoMPS lab' },
  { what: 'the site saw the comp server', found: found.sawAddress, wanted: found.comp },
  {
    what: 'paths that carried traffic',
    found: String(carried(found).length),
    wanted: String(Math.max(1, found.scheduled.length)),
  },
  { what: 'packets past the tunnels', found: String(found.leaked), wanted: '0' },
  { what: 'changed by the second set-up', found: String(found.secondRunChanged), wanted: '0' },
  ...(found.left === undefined ? [] : [{ what: 'droplets left', found: String(found.left), wanted: '0' }]),
];

const claimLine = ({ what, found, wanted }: Claim): string =>
  found === wanted
    ? `  ${paint.green('✓')} ${what.padEnd(30)} ${found}`
    : `  ${paint.red('✗')} ${what.padEnd(30)} ${paint.red(`${found}, and it must be ${wanted}`)}`;

/** The run as told: how migration was done, whether the lab stands. */
interface Telling {
  period: number;
  strategy: string;
  seed: string;
  /** The lab is not taken down at the end. */
  stays: boolean;
}

export function summary(found: Findings, lab: Lab, { period, strategy, seed, stays }: Telling): string[] {
  const sum = [...found.bytes.values()].reduce((a, b) => a + b, 0) || 1;
  const bar = (share: number): string => paint.cyan('█'.repeat(Math.round(share * 30)));
  const here = (path: string): string => relative(process.cwd(), path) || '.';
  return [
    '',
    paint.bold('What happened'),
    ...found.times.map(([name, ms]) => `  ${name.padEnd(34)} ${seconds(ms).padStart(6)}`),
    '',
    paint.bold(
      `Bytes a path (${found.switches} switches, one every ${period * 1000} ms, ${strategy}, seed ${seed})`,
    ),
    ...[...found.bytes].map(
      ([name, bytes]) =>
        `  ${name.padEnd(8)} ${`${Math.round((bytes / sum) * 100)} %`.padStart(5)}  ${megabytes(bytes).padStart(8)}  ${bar(bytes / sum)}`,
    ),
    '',
    paint.bold('What must hold'),
    ...claimsOf(found).map(claimLine),
    '',
    ...(stays
      ? [
          paint.bold('Files'),
          `  client     ${here(lab.clientDirectory)}`,
          `  inventory  ${here(inventoryFile(lab))}`,
          `  switches   ${here(join(lab.directory, 'switches.jsonl'))}`,
          `  leaks      ${here(join(lab.directory, 'leaks.pcap'))} (a capture of all that left past the tunnels)`,
        ]
      : ['The lab is taken down now; `npm run demo -- --keep` leaves it standing to look around in.']),
  ];
}

/** Whether all that the demo claims was so. */
export const holds = (found: Findings): boolean =>
  claimsOf(found).every(({ found: is, wanted }) => is === wanted);
