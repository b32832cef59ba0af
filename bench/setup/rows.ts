/** Figures of each case, from its samples. All pure. */
import { median } from '../figures.ts';
import { type Case, nameOf, type What } from './ways.ts';

/** What a run costs besides its time; null where it cannot be known. */
interface Costs {
  /** Seconds of the processors, of all its processes. */
  cpu: number | null;
  /** Of one host: SSH connections, and the commands and subsystems that were started over them. */
  connections: number | null;
  sessions: number | null;
  /** Bytes of IP packets a host, from the controller and to it. */
  sent: number | null;
  received: number | null;
}

/** One run of one command. Null is what was not measured. */
export interface Sample extends Costs {
  case: Case;
  what: What;
  round: number;
  /** Seconds from its start to its end. */
  wall: number;
  /** Bytes that its processes had of memory at most, all together. */
  memory: number | null;
}

export interface Row extends Costs {
  name: string;
  case: Case;
  what: What;
  rounds: number;
  /** Medians; least and most for the time. */
  wall: number;
  least: number;
  most: number;
  /** The most of all rounds. */
  memory: number | null;
}

const middle = (values: readonly (number | null)[]): number | null => {
  const known = values.filter((value) => value !== null);
  return known.length === 0 ? null : median(known);
};

const sameCase = (a: Sample, b: Sample): boolean =>
  a.what === b.what && JSON.stringify(a.case) === JSON.stringify(b.case);

function rowOf(samples: readonly Sample[]): Row {
  const [first] = samples as [Sample];
  const of = (key: 'cpu' | 'connections' | 'sessions' | 'sent' | 'received') =>
    middle(samples.map((sample) => sample[key]));
  const walls = samples.map(({ wall }) => wall);
  const memories = samples.map(({ memory }) => memory).filter((value) => value !== null);
  return {
    name: nameOf(first.case, first.what),
    ...{ case: first.case, what: first.what, rounds: samples.length },
    ...{ wall: median(walls), least: Math.min(...walls), most: Math.max(...walls), cpu: of('cpu') },
    ...{
      connections: of('connections'),
      sessions: of('sessions'),
      sent: of('sent'),
      received: of('received'),
    },
    memory: memories.length === 0 ? null : Math.max(...memories),
  };
}

/** A row a case and state, in the order in which they come first. */
export function rowsOf(samples: readonly Sample[]): Row[] {
  const firsts = samples.filter((one, i) => samples.findIndex((other) => sameCase(one, other)) === i);
  return firsts
    .map((first) => rowOf(samples.filter((sample) => sameCase(first, sample))))
    .sort((a, b) => a.case.delay - b.case.delay || a.case.hosts - b.case.hosts);
}

export const HEAD = [
  'medians',
  'rounds',
  'seconds',
  'least',
  'most',
  'CPU',
  'connections',
  'sessions',
  'KiB sent',
  'received',
  'MiB',
];

const fixed = (value: number | null, digits: number, unit = 1): string =>
  value === null ? '' : (value / unit).toFixed(digits);

/** A row's cells, as {@link HEAD} has them. */
export const cellsOf = (row: Row): string[] => [
  row.name,
  String(row.rounds),
  ...[row.wall, row.least, row.most, row.cpu].map((value) => fixed(value, 2)),
  ...[row.connections, row.sessions].map((value) => fixed(value, 0)),
  ...[row.sent, row.received].map((value) => fixed(value, 1, 1024)),
  fixed(row.memory, 0, 2 ** 20),
];
