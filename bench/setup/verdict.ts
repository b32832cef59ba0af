/** What must hold of the figures, and whether it does. All pure. */
import type { Row } from './rows.ts';
import { CLAIMED, type Way, type What } from './ways.ts';

export interface Verdict {
  what: string;
  /** What was measured, as text. */
  is: string;
  /** `no limit`: stands beside the others to be seen; nothing is claimed of it. */
  verdict: 'met' | 'missed' | 'no limit' | 'not measured';
  /** Of the figure with the fewest; null of what has none. */
  rounds: number | null;
}

/** What a process that sets the same hosts up several times holds open: before the first time, and after each. */
export interface Held {
  descriptors: number[];
  listeners: number[];
}

const FEW = 4;
const MANY = 64;
/** Bytes. */
const MEMORY = 300e6;
/** Rounds whose medians a claim is of. */
const ROUNDS = 3;

type Find = (way: Way, what: What, hosts: number) => Row | undefined;

const finder =
  (rows: readonly Row[], far: boolean): Find =>
  (way, what, hosts) =>
    rows.find(
      (row) =>
        row.case.way === way && row.what === what && row.case.hosts === hosts && row.case.delay > 0 === far,
    );

interface Finding {
  is: string;
  /** Undefined where there is no limit. */
  holds?: boolean;
}

/** A verdict of figures that are all there: where one is missing, the others are held against nothing. */
function judge<const T extends readonly (Row | undefined)[]>(
  what: string,
  parts: T,
  find: (...rows: { [K in keyof T]: Row }) => Finding | undefined,
): Verdict {
  const there = parts.filter((row) => row !== undefined);
  const found =
    there.length === parts.length ? find(...(there as unknown as { [K in keyof T]: Row })) : undefined;
  if (found === undefined) return { what, is: '-', verdict: 'not measured', rounds: null };
  const verdict = found.holds === undefined ? 'no limit' : found.holds ? 'met' : 'missed';
  return { what, is: found.is, verdict, rounds: Math.min(...there.map(({ rounds }) => rounds)) };
}

/** How many times as long the quickest of `others` takes; all of them must have been tried. */
function faster(find: Find, what: What, name: string, others: readonly Way[], least?: number): Verdict {
  const limit =
    least === undefined ? `how many times as fast as ${name}` : `${least} times as fast as ${name}, or more`;
  const parts = ['ours' as const, ...others].map((way) => find(way, what, CLAIMED));
  return judge(`N=${CLAIMED}, ${what}: ${limit}`, parts, (ours, ...rest) => {
    const best = Math.min(...rest.map(({ wall }) => wall));
    const ratio = best / (ours as Row).wall;
    return {
      is: `${ratio.toFixed(1)} (${best.toFixed(1)} s : ${(ours as Row).wall.toFixed(2)} s)`,
      ...(least !== undefined && { holds: ratio >= least }),
    };
  });
}

/** The start of npx and zx is in each of the three, and is allowed once: only what the floor does beyond it counts several times. */
function nearFloor(
  title: string,
  ours: Row | undefined,
  floor: Row | undefined,
  start: Row | undefined,
  most: number,
): Verdict {
  return judge(title, [ours, floor, start], (us, least, empty) => {
    const [own, bare] = [us.wall - empty.wall, least.wall - empty.wall];
    const figures = `${own.toFixed(2)} s : ${bare.toFixed(2)} s, each without the start’s ${empty.wall.toFixed(2)} s`;
    return { is: `${(own / bare).toFixed(2)} (${figures})`, holds: own <= most * bare };
  });
}

function trips(find: Find, what: What, hosts: number, wanted: number): Verdict {
  const title = `N=${hosts}, ${what}: round trips after the connection: ${wanted}`;
  return judge(title, [find('ours', what, hosts)], ({ sessions }) =>
    sessions === null ? undefined : { is: String(sessions), holds: sessions === wanted },
  );
}

/** By the seconds that the hosts more cost: a ratio would flatter who has the longer start. */
function growth(find: Find): Verdict {
  const at = (way: Way, what: What) => [find(way, what, CLAIMED), find(way, what, MANY)] as const;
  return judge(
    `no-op from N=${CLAIMED} to N=${MANY}: no more seconds are added than to the floor`,
    [...at('ours', 'no-op'), ...at('floor', 'once')],
    (few, many, floorFew, floorMany) => {
      const [ours, floor] = [many.wall - few.wall, floorMany.wall - floorFew.wall];
      return { is: `${ours.toFixed(2)} s : ${floor.toFixed(2)} s`, holds: ours <= floor };
    },
  );
}

function memory(find: Find): Verdict {
  const parts = (['cold', 'no-op'] as const).map((what) => find('ours', what, MANY));
  return judge(
    `N=${MANY}, cold and no-op: under ${MEMORY / 1e6} MB of memory, all processes together`,
    parts,
    (...rows) => {
      const known = rows.map((row) => row.memory).filter((value) => value !== null);
      const most = Math.max(...known);
      if (known.length < rows.length) return undefined;
      return { is: `${(most / 1e6).toFixed(0)} MB`, holds: most < MEMORY };
    },
  );
}

function held(of: string, counts: readonly number[] | undefined): Verdict {
  const what = `N=${MANY}, three times in one process: ${of} as at the beginning`;
  if (counts === undefined) return { what, is: '-', verdict: 'not measured', rounds: null };
  const holds = (counts.at(-1) ?? 0) <= (counts[0] ?? 0);
  return { what, is: counts.join(', '), verdict: holds ? 'met' : 'missed', rounds: null };
}

/** What was measured, and beside it how little that is where it was seldom. */
export const isText = ({ is, rounds }: Verdict): string =>
  rounds === null || rounds >= ROUNDS
    ? is
    : `${is}; of ${rounds} ${rounds === 1 ? 'round' : 'rounds'} only, a claim needs ${ROUNDS}`;

/** All that is claimed, held against the figures. */
export function verdictsOf(rows: readonly Row[], keeps?: Held): Verdict[] {
  const [near, far] = [finder(rows, false), finder(rows, true)];
  // It knows no hosts and no distance.
  const start = rows.find((row) => row.case.way === 'start');
  const beside = (what: What, tuned: number, mitogen: number): Verdict[] => [
    faster(near, what, 'tuned ansible-playbook', ['tuned'], tuned),
    faster(near, what, 'the best with Mitogen', ['mitogen', 'fast'], mitogen),
    faster(near, what, 'one shell script a host, by Ansible with Mitogen', ['script']),
  ];
  return [
    ...beside('no-op', 25, 10),
    ...beside('cold', 20, 8),
    nearFloor(
      `N=${CLAIMED}, no-op: twice the floor, and the runtime’s own start, or less`,
      near('ours', 'no-op', CLAIMED),
      near('floor', 'once', CLAIMED),
      start,
      2,
    ),
    nearFloor(
      `N=${FEW}, no-op, far away: 1.3 times the floor, and the runtime’s own start, or less`,
      far('ours', 'no-op', FEW),
      far('floor', 'once', FEW),
      start,
      1.3,
    ),
    ...[FEW, CLAIMED, MANY].flatMap((hosts) => [
      trips(near, 'no-op', hosts, 1),
      trips(near, 'cold', hosts, 2),
    ]),
    memory(near),
    growth(near),
    held('file descriptors', keeps?.descriptors),
    held('listeners', keeps?.listeners),
  ];
}
