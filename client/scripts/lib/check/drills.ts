/** What happens when something breaks: broken on purpose for a moment, with all probes sent meanwhile. */
import { fileURLToPath } from 'node:url';
import { Tool } from '../process.ts';
import { hostOf } from './exits.ts';
import type { Link, Machine } from './machine.ts';
import { type Leak, leakText } from './packets.ts';
import { leaked } from './probe-verdict.ts';
import {
  type Changes,
  deletePath,
  putBackLink,
  putBackPaths,
  silence,
  unsilence,
  type Words,
} from './put-back.ts';
import { currentPath } from './tables.ts';
import { ping, untilAnswer } from './tools.ts';
import type { Turn } from './turn.ts';
import { bad, type Finding, good, leftOut, SET_UP } from './verdict.ts';
import type { Watch } from './watch.ts';

const MIGRATE = fileURLToPath(new URL('../../migrate.ts', import.meta.url));
/** Milliseconds that migrate.ts may take to be ready, and to set a path. */
const PATIENCE = 20_000;
/** Seconds that the traffic may take to flow again. */
const FLOWS = 10;

export interface Drill {
  id: string;
  what: string;
  /** Why it cannot be done. */
  without?: string;
  words?: Words;
  back?: Words[];
}

export const MIGRATOR = 'drill-migrator-killed';

/** All drills of a machine, in their order. Pure. */
export function drillsFor({
  mode,
  links,
  paths,
  routes,
  endpoints,
}: Pick<Machine, 'mode' | 'links' | 'paths' | 'routes' | 'endpoints'>): Drill[] {
  const down = (name: string): Drill => {
    const drill = { id: `drill-${name}-down`, what: `${name} goes down` };
    const link = links.find(({ ifname }) => ifname === name);
    if (!link?.flags.includes('UP')) return { ...drill, without: 'it is down already' };
    return { ...drill, words: ['ip', 'link', 'set', 'dev', name, 'down'], back: back(link) };
  };
  const back = (link: Link): Words[] => putBackLink(link, routes[4], routes[6]);
  const path = currentPath(routes[4]);
  const host = path === undefined ? undefined : hostOf(endpoints.get(path) ?? '');
  const deleted = { id: 'drill-route-deleted', what: 'the current path’s route is deleted' };
  const killed = { id: MIGRATOR, what: 'a migrator is killed' };
  const dead = { id: 'drill-proxy-dead', what: 'the current path’s proxy dies' };
  const without = 'there is no current path';
  return [
    ...(mode === 'quic' ? [] : [down('wg0')]),
    ...paths.map(down),
    path === undefined
      ? { ...deleted, without }
      : { ...deleted, words: deletePath(path), back: putBackPaths(routes[4]) },
    host ? { ...dead, words: silence(host), back: [unsilence] } : { ...dead, without },
    // The last: until then its migrator keeps all others from starting.
    path === undefined ? { ...killed, without } : { ...killed, back: putBackPaths(routes[4]) },
  ];
}

/** A migrate.ts that waits for its order, as its start takes a while. */
export class DrillMigrator {
  private readonly tool: Tool;
  private text = '';

  constructor() {
    const flags = ['--strategy', 'rr', '--period', '0.01', '--hold'];
    this.tool = new Tool([process.execPath, ...process.execArgv, MIGRATE, ...flags], (piece) => {
      this.text = (this.text + piece).slice(-100_000);
      this.tool.tell();
    });
  }

  private count = (event: string): number => this.text.split(`"event":"${event}"`).length - 1;

  /** Whether it lives and has the lock of migrators, so that no other can start. */
  async holds(): Promise<boolean> {
    await this.tool.until(PATIENCE, () => this.count('ready') > 0);
    return this.count('ready') > 0 && this.tool.over === undefined;
  }

  /** Begins to switch paths every 10 ms; what went wrong, or undefined. */
  async run(): Promise<string | undefined> {
    if (!(await this.tool.until(PATIENCE, () => this.count('ready') > 0))) return this.trouble();
    this.tool.input('run 1\n');
    return (await this.tool.until(PATIENCE, () => this.count('switch') > 5)) ? undefined : this.trouble();
  }

  kill = (): Promise<unknown> => this.tool.end('SIGKILL', 0);

  private trouble(): string {
    return `migrate.ts does not run: ${this.tool.said.trim().split('\n')[0] || 'it says nothing'}`;
  }
}

export interface DrillDoors {
  changes: Changes;
  watch: Watch;
  migrator: DrillMigrator | undefined;
  turn: Turn;
  /** Of a server, the comp server where there is one: its address inside. */
  inside: string;
  /** Options of ping for the way of all programs. */
  by: string[];
  /** Sends all probes once. */
  probe(): Promise<unknown>;
}

/** Breaks what the drill is about, for as long as it takes to send all probes; what went wrong with that, or undefined. */
async function breakIt(
  { id, words, back = [] }: Drill,
  { changes, migrator, turn, probe }: DrillDoors,
): Promise<string | undefined> {
  if (id !== MIGRATOR) {
    if (changes.make(words ?? [], back)) await probe();
    return undefined;
  }
  // Its first switch is the change; until then nothing is.
  if (migrator === undefined || !changes.make(['true'], back)) return 'it was not started';
  const trouble = await migrator.run();
  const probing = probe();
  await migrator.kill();
  // At once, before another migrate.ts has it: the path would be that one's, and not to be put back.
  const taken = await turn.taken();
  await probing;
  if (taken !== undefined) {
    changes.leave();
    return taken;
  }
  if (trouble === undefined) await probe();
  return trouble;
}

/** Whether the traffic flows, and after how many seconds. */
async function flows({ inside, by }: Pick<DrillDoors, 'inside' | 'by'>): Promise<number | undefined> {
  const from = performance.now();
  const { good: answered } = await ping(...untilAnswer(FLOWS), ...by, inside);
  return answered ? (performance.now() - from) / 1000 : undefined;
}

/** What came of a drill. Pure. `after`: seconds until the traffic flowed again. */
export function judgeDrill(
  { id, what }: Pick<Drill, 'id' | 'what'>,
  leaks: readonly Leak[],
  after: number | undefined,
  blind: string | undefined,
): Finding {
  if (leaks.length > 0) return leaked(id, what, leaks, leakText);
  if (blind !== undefined) return leftOut(id, what, `the capture is blind: ${blind}`);
  if (after === undefined)
    return bad(
      id,
      what,
      'nothing left, and nothing flows',
      `the traffic did not flow again in ${FLOWS} s`,
      SET_UP,
    );
  return good(id, what, `nothing left; flows again after ${Math.ceil(after * 1000)} ms`);
}

/** Carries one drill out, and puts everything back. */
export async function carryOut(
  drill: Drill,
  doors: DrillDoors,
): Promise<{ finding: Finding; leaks: Leak[] }> {
  const { changes, watch } = doors;
  if (drill.without !== undefined)
    return { finding: leftOut(drill.id, drill.what, drill.without), leaks: [] };
  let trouble: string | undefined;
  try {
    trouble = await breakIt(drill, doors);
  } finally {
    changes.undo();
  }
  const after = await flows(doors);
  const { leaks } = await watch.news();
  if (trouble !== undefined && leaks.length === 0)
    return { finding: leftOut(drill.id, drill.what, trouble), leaks };
  return { finding: judgeDrill(drill, leaks, after, watch.blind), leaks };
}
