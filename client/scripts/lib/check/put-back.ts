/** What puts right what a drill has changed; on record before it is changed, so that another run can do it as well. */
import { exists, linkTarget, list, readIfAny, remove, write } from '../folders.ts';
import { type Link, rulesNow } from './machine.ts';
import { isSticky, WG0, WGNET } from './numbers.ts';
import { isUp } from './rules.ts';
import type { Route } from './tables.ts';
import { askIfAny } from './tools.ts';
import { SET_UP_FILE } from './verdict.ts';

/** The nftables table by which a proxy is made to look dead. */
export const DEAD_TABLE = 'comps_check';
/** Seconds after which the kernel itself ends that, whatever became of this program. */
const DEAD_FOR = 5;

/** A command's words. */
export type Words = string[];

const ofOurs = ({ table = 'main' }: Route): boolean =>
  Number(table) === WG0 || (Number(table) >= WGNET && Number(table) < WG0 + 200) || isSticky(Number(table));

/** Puts a tunnel's interface back as it was: up, with its addresses and the routes over it. Pure. */
export function putBackLink(link: Link, routes4: readonly Route[], routes6: readonly Route[]): Words[] {
  const { ifname: name, addr_info } = link;
  const lost = addr_info.filter(({ scope }) => scope !== 'link');
  const over = (family: '-4' | '-6', routes: readonly Route[]): Words[] =>
    routes
      .filter((route) => route.dev === name && route.type === undefined && ofOurs(route))
      .map((route) => replaceRoute(family, route));
  return [
    ['ip', 'link', 'set', 'dev', name, 'up'],
    ...lost.map(({ local, prefixlen }) => ['ip', 'address', 'replace', `${local}/${prefixlen}`, 'dev', name]),
    ...over('-4', routes4),
    ...over('-6', routes6),
  ];
}

const replaceRoute = (family: '-4' | '-6', { dst, dev = '', metric, table = '' }: Route): Words => [
  ...['ip', family, 'route', 'replace', dst, 'dev', dev],
  ...(metric ? ['metric', String(metric)] : []),
  ...['table', table],
];

/** Puts the table of the paths back as it was: its standbys, and the current path. Pure. */
export const putBackPaths = (routes4: readonly Route[]): Words[] =>
  routes4
    .filter(({ table, type, dev }) => table === String(WGNET) && type === undefined && dev !== undefined)
    .map((route) => replaceRoute('-4', route));

/** Deletes the current path's route. Where it is none any more, its standby's: the kernel takes any metric for 0. */
export const deletePath = (name: string): Words => [
  'ip',
  '-4',
  'route',
  'delete',
  'default',
  'dev',
  name,
  'table',
  String(WGNET),
];

/** What throws away all that a host sends, for some seconds: the kernel forgets it by itself. */
export const silence = (host: string): Words => {
  const [type, field] = host.includes(':') ? ['ipv6_addr', 'ip6'] : ['ipv4_addr', 'ip'];
  return [
    'nft',
    `table inet ${DEAD_TABLE} {
      set dead { type ${type}; flags timeout; elements = { ${host} timeout ${DEAD_FOR}s }; }
      chain prerouting { type filter hook prerouting priority -200; policy accept; ${field} saddr @dead drop; }
    }`,
  ];
};

export const unsilence: Words = ['nft', 'delete', 'table', 'inet', DEAD_TABLE];

/** One a network namespace. */
const record = (): string => `/run/comps-check-${/\d+/.exec(linkTarget('/proc/self/ns/net'))?.[0]}.json`;

/** Carries commands out, one after the other; what fails is somebody else's by now. */
function carryOut(commands: readonly Words[]): void {
  for (const words of commands) askIfAny(...words);
}

/** What this program has changed and not put back yet. */
export class Changes {
  private pending: Words[] | undefined;
  private over = false;

  /** Changes something. False where it is too late for that: the program is about to end. */
  make(words: Words, back: Words[]): boolean {
    if (this.over) return false;
    this.pending = back;
    write(record(), JSON.stringify(back));
    askIfAny(...words);
    return true;
  }

  /** Puts it back. */
  undo(): void {
    if (this.pending === undefined) return;
    carryOut(this.pending);
    this.pending = undefined;
    remove(record());
  }

  /** Leaves it as it is: it is somebody else's by now. */
  leave(): void {
    this.pending = undefined;
    remove(record());
  }

  /** Puts it back, and makes no change any more. */
  end(): void {
    this.over = true;
    this.undo();
  }
}

export const SCRATCH = '/tmp/comps-check-';

/** Clears the folders of checks that were killed. */
function sweep(): void {
  for (const name of list('/tmp')) {
    const pid = /^comps-check-(\d+)-/.exec(name)?.[1];
    if (pid !== undefined && !exists(`/proc/${pid}`)) remove(`/tmp/${name}`);
  }
}

/** Whether the client is up, be it in part: after `setup.sh down` neither layer is there. */
const standing = (): boolean =>
  askIfAny('nft', 'list', 'table', 'inet', 'comps') !== undefined || isUp(rulesNow()[4]);

/**
 * Puts back what a check that was killed has left; whether anything was. Its record may be old: setup.sh, which mends
 * whatever it finds, knows better where it is there. On a machine that was taken down since, there is nothing to mend.
 */
export function mendLeftovers(): boolean {
  sweep();
  const left = readIfAny(record());
  if (left === undefined) return false;
  askIfAny(...unsilence);
  if (!standing()) {
    remove(record());
    return false;
  }
  if (!exists(SET_UP_FILE) || askIfAny('bash', SET_UP_FILE, 'up') === undefined) carryOut(commandsIn(left));
  remove(record());
  return true;
}

/** The commands in a record; none where it was cut off: nothing was changed yet then. */
function commandsIn(record: Buffer): Words[] {
  try {
    return JSON.parse(record.toString()) as Words[];
  } catch {
    return [];
  }
}
