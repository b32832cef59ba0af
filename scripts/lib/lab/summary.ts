/** What the demo found, as lines for a person. */
import { join, relative } from 'node:path';
import { paint } from '../cli.ts';
import { seconds } from '../progress.ts';
import { inventoryFile } from './cloud-seat.ts';
import type { Moves } from './demo-fetch.ts';
import type { Lab } from './open.ts';

/** What is seen in mode wireguard. */
interface OfPage {
  mode: 'wireguard';
  title: string | undefined;
  sawAddress: string;
  comp: string;
}

/** What is seen in mode quic. */
interface OfQuic {
  mode: 'quic';
  /** Of the file that came, and of the one that is served. */
  sha256: string;
  wantedSha256: string;
  /** What the HTTP/3 server saw, and the addresses of the proxies. */
  connections: number;
  addresses: readonly string[];
  proxies: readonly string[];
  /** What became of a TCP connection: `refused`, `accepted`, or an error's code. */
  tcp: string;
}

/** What the summary tells; times in ms. */
interface OfAny extends Moves {
  times: [string, number][];
  /** Droplets that the demo made, and was to make. */
  made: number;
  toMake: number;
  /** Droplets of the project that its tear-down left; undefined where they were to stay. */
  left: number | undefined;
  leaked: number;
  secondRunChanged: number;
}

export type Findings = OfAny & (OfPage | OfQuic);

const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`;

interface Claim {
  what: string;
  found: string;
  wanted: string;
}

/** Scheduled paths that carried more than keepalives: over 1 kB. */
const carried = ({ scheduled, bytes }: Moves): readonly string[] =>
  scheduled.filter((path) => (bytes.get(path) ?? 0) > 1000);

const pageClaims = ({ title, sawAddress, comp }: OfPage): Claim[] => [
  { what: 'the page came, its title is', found: title ?? 'none', wanted: 'CoMPS lab' },
  { what: 'the site saw the comp server', found: sawAddress, wanted: comp },
];

function quicClaims({ sha256, wantedSha256, connections, addresses, proxies, tcp }: OfQuic): Claim[] {
  const strange = addresses.filter((address) => !proxies.includes(address));
  const count = String(addresses.length);
  return [
    { what: 'the file came, its SHA-256 begins', found: sha256, wanted: wantedSha256 },
    { what: 'connections at the server', found: String(connections), wanted: '1' },
    {
      what: 'client addresses that it proved',
      found: strange.length === 0 ? count : `${count}, and no proxy has ${strange.join(', ')}`,
      wanted: String(proxies.length),
    },
    { what: 'a TCP connection was', found: tcp, wanted: 'refused' },
  ];
}

/** Everything that the demo is there to show. */
const claimsOf = (found: Findings): Claim[] => [
  { what: 'droplets made', found: String(found.made), wanted: String(found.toMake) },
  ...(found.mode === 'quic' ? quicClaims(found) : pageClaims(found)),
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
    ? `  ${paint.green('✓')} ${what.padEnd(34)} ${found}`
    : `  ${paint.red('✗')} ${what.padEnd(34)} ${paint.red(`${found}, and it must be ${wanted}`)}`;

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
          ...(found.mode === 'quic'
            ? [`  server     ${here(join(lab.directory, 'site', 'h3.log'))} (what it saw of each connection)`]
            : []),
        ]
      : [
          `The lab is taken down now; \`npm run demo -- ${found.mode === 'quic' ? '--mode quic ' : ''}--keep\` leaves it standing to look around in.`,
        ]),
  ];
}

/** Whether all that the demo claims was so. */
export const holds = (found: Findings): boolean =>
  claimsOf(found).every(({ found: is, wanted }) => is === wanted);
