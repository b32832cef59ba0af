/** Mode quic: what becomes of a TCP connection, which no path but its first can carry. */
import { isIPv4 } from 'node:net';
import { readIfAny } from '../folders.ts';
import { REFUSED_TCP } from './door-tcp.ts';
import { doorNow, type Machine } from './machine.ts';
import { stickyOf } from './numbers.ts';
import { countsText } from './probe-verdict.ts';
import { openTcp, type Sent } from './sockets.ts';
import { askIfAny } from './tools.ts';
import { bad, type Finding, good, leftOut, SET_UP } from './verdict.ts';

const ID = 'tcp';
const WHAT = 'TCP connections';
/** Of the probes' ports, and used by nothing else. */
const PORT = 42_009;

const KEEP = 'allow_tcp: sticky in config.cfg keeps each connection on one path';

export interface Refused {
  /** What came of connecting. */
  results: readonly Sent[];
  /** Connections that the table had refused before, and has now; undefined where it does not count. */
  before: number | undefined;
  after: number | undefined;
}

/** Where TCP is to be refused. Pure. */
export function judgeRefusal({ results, before, after }: Refused): Finding {
  const counts = countsText(results);
  const went = results.filter((result) => result === 'sent' || result === 'answered');
  const reason = 'each switch would break a connection: its packets come from another proxy then';
  if (went.length > 0) return bad(ID, WHAT, `not refused (${counts})`, reason, SET_UP);
  if (!results.includes('ECONNREFUSED')) return leftOut(ID, WHAT, `there is no way for it (${counts})`);
  // Another machine's refusal looks the same.
  if (before === undefined || after === undefined || after <= before)
    return bad(ID, WHAT, 'not refused here, but by who was asked', reason, SET_UP);
  return good(ID, WHAT, `refused, ${before} so far; ${KEEP}`);
}

export interface Pinned {
  /** Whether the table refused a new connection. */
  refused: boolean;
  /** By path, the interface to which the kernel leads what bears its mark; undefined where there is no way. */
  ways: ReadonlyMap<string, string | undefined>;
  /** The mark that a real connection got; undefined where the kernel does not tell. */
  mark: number | undefined;
}

/** Where each connection is to stay on its path. Pure. */
export function judgePinning({ refused, ways, mark }: Pinned): Finding {
  const found = [...ways].map(([path, dev]) => `mark ${stickyOf(path)} by ${dev ?? 'no way'}`).join(', ');
  const astray = [...ways].filter(([path, dev]) => dev !== path).map(([path]) => path);
  if (astray.length > 0)
    return bad(
      ID,
      WHAT,
      found,
      `a connection that began on ${astray.join(', ')} does not stay there: a switch breaks it`,
      SET_UP,
    );
  if (refused)
    return bad(
      ID,
      WHAT,
      'a new connection was refused',
      'the table inet comps does not know its mark, or gave it none',
      SET_UP,
    );
  if (mark !== undefined && ![...ways.keys()].some((path) => stickyOf(path) === mark))
    return bad(
      ID,
      WHAT,
      `a new connection has the mark ${mark}`,
      'that is no path’s: a switch breaks the connection',
      SET_UP,
    );
  const shown = mark === undefined ? '' : ` (one that was tried got the mark ${mark})`;
  return good(ID, WHAT, `sticky, each connection on one path${shown}`);
}

/** The mark of the latest connection to a port, in `/proc/net/nf_conntrack`. Pure. */
export function markIn(text: string, to: string, port: number): number | undefined {
  const lines = text
    .split('\n')
    .filter((line) => line.includes(` dst=${to} `) && line.includes(` dport=${port} `));
  const mark = /\bmark=(\d+)/.exec(lines.at(-1) ?? '')?.[1];
  return mark === undefined ? undefined : Number(mark);
}

const refusedNow = (): number | undefined => doorNow()?.counters.get(REFUSED_TCP);

/** The line about TCP. `targets`: addresses that nobody has. */
export async function tcpFinding({ tcp, paths }: Machine, targets: readonly string[]): Promise<Finding> {
  const four = targets.filter((target) => isIPv4(target));
  const before = refusedNow();
  const results = await Promise.all(four.map((to) => openTcp({ to, port: PORT })));
  const after = refusedNow();
  if (tcp === 'none') return judgeRefusal({ results, before, after });
  const [to = ''] = four;
  const ways = paths.map((path) => {
    const way = askIfAny('ip', '-4', 'route', 'get', to, 'mark', String(stickyOf(path)));
    return [path, /\bdev (\S+)/.exec(way ?? '')?.[1]] as const;
  });
  const mark = markIn(readIfAny('/proc/net/nf_conntrack')?.toString() ?? '', to, PORT);
  const refused = (after ?? 0) > (before ?? 0);
  return judgePinning({ refused, ways: new Map(ways), mark });
}
