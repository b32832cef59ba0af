/** What must hold of the figures, and whether it does. All pure. */
import type { Row } from './rows.ts';
import type { Way, What } from './ways.ts';

export interface Verdict {
  what: string;
  /** What was measured, as text. */
  is: string;
  verdict: 'met' | 'missed' | 'not measured';
}

/** What a process that sets the same hosts up several times holds open: before the first time, and after each. */
export interface Held {
  descriptors: number[];
  listeners: number[];
}

const FEW = 4;
const CLAIMED = 16;
const MANY = 64;
const MEMORY = 300 * 2 ** 20;

const judge = (what: string, is: string | undefined, holds: boolean): Verdict =>
  is === undefined
    ? { what, is: '-', verdict: 'not measured' }
    : { what, is, verdict: holds ? 'met' : 'missed' };

type Find = (way: Way, what: What, hosts: number) => Row | undefined;

const finder =
  (rows: readonly Row[], far: boolean): Find =>
  (way, what, hosts) =>
    rows.find(
      (row) =>
        row.case.way === way && row.what === what && row.case.hosts === hosts && row.case.delay > 0 === far,
    );

/** How many times as long the quickest of `others` takes. */
function faster(find: Find, what: What, others: readonly Way[], least: number): Verdict {
  const walls = others.flatMap((way) => find(way, what, CLAIMED)?.wall ?? []);
  const ours = find('ours', what, CLAIMED)?.wall;
  const name = others.includes('tuned') ? 'tuned ansible-playbook' : 'the best with Mitogen';
  const title = `N=${CLAIMED}, ${what}: ${least} times as fast as ${name}, or more`;
  if (ours === undefined || walls.length === 0) return judge(title, undefined, false);
  const ratio = Math.min(...walls) / ours;
  return judge(
    title,
    `${ratio.toFixed(1)} (${Math.min(...walls).toFixed(1)} s : ${ours.toFixed(2)} s)`,
    ratio >= least,
  );
}

/** The floor's time has the start of the runtime in it, as ours has. */
function nearFloor(title: string, ours: Row | undefined, floor: Row | undefined, most: number): Verdict {
  if (ours === undefined || floor === undefined) return judge(title, undefined, false);
  const ratio = ours.wall / floor.wall;
  return judge(
    title,
    `${ratio.toFixed(2)} (${ours.wall.toFixed(2)} s : ${floor.wall.toFixed(2)} s)`,
    ratio <= most,
  );
}

function trips(find: Find, what: What, hosts: number, wanted: number): Verdict {
  const sessions = find('ours', what, hosts)?.sessions ?? undefined;
  return judge(
    `N=${hosts}, ${what}: round trips after the connection: ${wanted}`,
    sessions?.toString(),
    sessions === wanted,
  );
}

function growth(find: Find): Verdict {
  const title = `no-op from N=${CLAIMED} to N=${MANY}: time grows no faster than the floor’s`;
  const of = (way: Way, what: What): number | undefined => {
    const [few, many] = [find(way, what, CLAIMED)?.wall, find(way, what, MANY)?.wall];
    return few === undefined || many === undefined ? undefined : many / few;
  };
  const [ours, floor] = [of('ours', 'no-op'), of('floor', 'once')];
  if (ours === undefined || floor === undefined) return judge(title, undefined, false);
  return judge(title, `${ours.toFixed(2)} : ${floor.toFixed(2)}`, ours <= floor);
}

function held(what: string, counts: readonly number[] | undefined): Verdict {
  const title = `N=${MANY}, three times in one process: ${what} as at the beginning`;
  return judge(title, counts?.join(', '), counts !== undefined && (counts.at(-1) ?? 0) <= (counts[0] ?? 0));
}

/** All that is claimed, held against the figures. */
export function verdictsOf(rows: readonly Row[], keeps?: Held): Verdict[] {
  const [near, far] = [finder(rows, false), finder(rows, true)];
  const memory = near('ours', 'no-op', MANY)?.memory ?? undefined;
  return [
    faster(near, 'no-op', ['tuned'], 25),
    faster(near, 'no-op', ['mitogen', 'fast'], 10),
    faster(near, 'cold', ['tuned'], 20),
    faster(near, 'cold', ['mitogen', 'fast'], 8),
    nearFloor(
      `N=${CLAIMED}, no-op: twice the floor with its start, or less`,
      near('ours', 'no-op', CLAIMED),
      near('floor', 'once', CLAIMED),
      2,
    ),
    nearFloor(
      `N=${FEW}, no-op, far away: 1.3 times the floor with its start, or less`,
      far('ours', 'no-op', FEW),
      far('floor', 'once', FEW),
      1.3,
    ),
    ...[FEW, CLAIMED, MANY].flatMap((hosts) => [
      trips(near, 'no-op', hosts, 1),
      trips(near, 'cold', hosts, 2),
    ]),
    judge(
      `N=${MANY}: under 300 MiB of memory`,
      memory === undefined ? undefined : `${(memory / 2 ** 20).toFixed(0)} MiB`,
      (memory ?? MEMORY) < MEMORY,
    ),
    growth(near),
    held('file descriptors', keeps?.descriptors),
    held('listeners', keeps?.listeners),
  ];
}
