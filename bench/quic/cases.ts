/** What bench/quic.ts compares: who fetches how much, over which paths, and how often they change. Pure. */
import { Fault } from '../../scripts/lib/cli.ts';
import { periodText } from '../migrate/cases.ts';

export type Client = 'Chromium' | 'gtlsclient' | 'curl';

/** Cases that are compared with each other. */
export interface Group {
  /** For `--only`. */
  key: string;
  client: Client;
  megabytes: number;
  /** Milliseconds that a round trip to each proxy takes; 0: as the lab has it, some tenths of one. */
  delays: readonly [number, number, number];
  /** It is what claims are made of; others are measured in fewer rounds. */
  judged: boolean;
}

export interface Case {
  group: Group;
  /** Seconds from one switch to the next; null: none. */
  period: number | null;
}

/** How much of each is measured. */
export interface Extent {
  rounds: number;
  /** Of groups that nothing is claimed of. */
  other_rounds: number;
  line_mbit: number;
  /** Milliseconds of the line's queue: a connection that has moved learns its way's round trip behind what is still in it. */
  queue_ms: number;
  /** Seconds after which a download is given up. */
  limit: number;
  periods: readonly number[];
}

const EQUAL = [0, 0, 0] as const;
const FAR = [20, 20, 20] as const;
const UNEVEN = [20, 40, 80] as const;

export const GROUPS: readonly Group[] = [
  { key: 'chromium', client: 'Chromium', megabytes: 60, delays: EQUAL, judged: true },
  { key: 'chromium-10', client: 'Chromium', megabytes: 10, delays: EQUAL, judged: true },
  { key: 'gtlsclient', client: 'gtlsclient', megabytes: 60, delays: EQUAL, judged: false },
  { key: 'curl', client: 'curl', megabytes: 60, delays: EQUAL, judged: false },
  { key: 'chromium-far', client: 'Chromium', megabytes: 60, delays: FAR, judged: false },
  { key: 'gtlsclient-far', client: 'gtlsclient', megabytes: 60, delays: FAR, judged: false },
  { key: 'chromium-uneven', client: 'Chromium', megabytes: 60, delays: UNEVEN, judged: false },
];

/** Reader of `--only`: keys, with commas between. */
export function groupsFrom(text: string): Group[] {
  const keys = text.split(',').map((word) => word.trim());
  const unknown = keys.find((key) => !GROUPS.some((group) => group.key === key));
  if (unknown === undefined) return GROUPS.filter(({ key }) => keys.includes(key));
  throw new Fault({
    at: `--only ${unknown}`,
    what: `expected some of ${GROUPS.map(({ key }) => key).join(', ')}`,
  });
}

/** Its cases, no switching first. */
export const casesOf = (group: Group, { periods }: Extent): [Case, ...Case[]] => [
  { group, period: null },
  ...periods.map((period) => ({ group, period })),
];

/** The same with so many megabytes at most; of those that are then alike, the first. */
export function smaller(groups: readonly Group[], megabytes: number): Group[] {
  const all = groups.map((group) => ({ ...group, megabytes: Math.min(group.megabytes, megabytes) }));
  return all.filter((group, i) => all.findIndex((other) => groupName(other) === groupName(group)) === i);
}

/** The round trips, as a table has them. */
export function delayText(delays: Group['delays']): string {
  const different = [...new Set(delays)];
  return different.length > 1 || different[0] !== 0 ? `, ${different.join('/')} ms` : '';
}

export const groupName = ({ client, megabytes, delays }: Group): string =>
  `${client}, ${megabytes} MB${delayText(delays)}`;

export const nameOf = ({ group, period }: Case): string =>
  `${groupName(group)}: ${period === null ? 'no switching' : periodText(period)}`;
