/** Kernel settings and the resolver. Pure. */
import type { Mode, Tcp } from '../mode.ts';
import { type Guard, guardsIn } from './guard.ts';
import { WGNET } from './numbers.ts';
import { bad, type Finding, good, leftOut, MEND_SERVERS, SET_UP } from './verdict.ts';

/** `all` and each tunnel's own value of net.ipv4.conf.*; the larger of the two counts. */
export interface Sysctls {
  rpFilter: ReadonlyMap<string, number>;
  srcValidMark: number | undefined;
}

export function judgeSysctls({ rpFilter, srcValidMark }: Sysctls): Finding[] {
  const all = rpFilter.get('all') ?? 0;
  const strict = [...rpFilter].filter(([name, value]) => name !== 'all' && Math.max(all, value) === 1);
  const rp = ['rp-filter', 'net.ipv4 rp_filter', `all: ${all}`] as const;
  const mark = [
    'src-valid-mark',
    'net.ipv4.conf.all.src_valid_mark',
    String(srcValidMark ?? 'none'),
  ] as const;
  const note = `${SET_UP} (in a container: docker-compose up -d on the host)`;
  return [
    strict.length === 0
      ? good(...rp)
      : bad(
          ...rp,
          `strict on ${strict.map(([name]) => name).join(', ')}: replies are thrown away; 2 is needed`,
          note,
        ),
    srcValidMark === 1
      ? good(...mark)
      : bad(...mark, 'the tunnels’ replies are looked up without their mark; 1 is needed', note),
  ];
}

/**
 * Whether the next router is answered (ARP) while no tunnel is there: by `nft list table arp comps`, undefined where there
 * is no such table. Not every kernel can have it, so that a missing one is no fault.
 */
export function judgeNeighbours(table: string | undefined): Finding {
  const about = ['neighbours', 'nftables table arp comps'] as const;
  if (table === undefined)
    return leftOut(
      ...about,
      'there is none: while no tunnel is up, the next router is not answered, and may bring nothing back',
      SET_UP,
    );
  const marks = [...table.matchAll(/meta mark set (0x[0-9a-f]+)/g)].map(([, mark]) => Number(mark));
  const found = `mark ${marks.join(', ') || 'none'}`;
  if (marks.length === 1 && marks[0] === WGNET) return good(...about, found);
  return bad(
    ...about,
    found,
    `a neighbour’s question needs the mark ${WGNET}, by which the way back to it is known`,
    SET_UP,
  );
}

/** What setup.sh says of the network; undefined where it says nothing, or could not be read. */
export interface SetUp {
  paths: string[] | undefined;
  resolver: string | undefined;
  mode: Mode | undefined;
  /** What becomes of TCP, in mode quic. */
  tcp: Tcp | undefined;
  /** What it has tc ask about all that leaves by a device, in their order; none where it guards none. */
  guards: Guard[];
}

/** Out of the text of setup.sh. */
export function setUpIn(text: string): SetUp {
  const paths = /^PATHS=\(([^)]*)\)/m.exec(text)?.[1]?.trim();
  const resolver = /^RESOLVER=["']?([0-9a-fA-F.:]+)/m.exec(text)?.[1];
  const mode = /^MODE=["']?(wireguard|quic)\b/m.exec(text)?.[1] as Mode | undefined;
  const tcp = /^TCP=["']?(none|sticky)\b/m.exec(text)?.[1] as Tcp | undefined;
  return {
    ...{ paths: paths ? paths.split(/\s+/) : undefined, resolver, tcp, guards: guardsIn(text) },
    // One of before there were two modes says nothing.
    mode: mode ?? (paths === undefined ? undefined : 'wireguard'),
  };
}

export const nameserversIn = (resolvConf: string): string[] =>
  [...resolvConf.matchAll(/^[ \t]*nameserver[ \t]+(\S+)/gm)].map(([, address = '']) => address);

/** Docker's own, which asks from the host. */
const DOCKERS = '127.0.0.11';
const ID = 'resolver';
const WHAT = 'resolver in /etc/resolv.conf';

/** `open`: whether all users may read the file. */
export function judgeResolver(
  nameservers: readonly string[],
  wanted: string | undefined,
  open = true,
): Finding {
  const found = nameservers.join(', ') || 'none';
  if (nameservers.length === 0)
    return bad(ID, WHAT, found, 'no resolver is named, so this machine’s own is asked', SET_UP);
  if (nameservers.includes(DOCKERS))
    return bad(ID, WHAT, found, `${DOCKERS} is Docker’s own, which asks past the tunnels`, SET_UP);
  if (!open)
    return bad(
      ID,
      WHAT,
      found,
      'not every user may read it: their programs, as the browser of a collection, find no name',
      'chmod a+r /etc/resolv.conf',
    );
  if (wanted === undefined)
    return leftOut(ID, WHAT, `${found}; /etc/wireguard/setup.sh, which names the right one, cannot be read`);
  const others = nameservers.filter((address) => address !== wanted);
  if (others.length === 0) return good(ID, WHAT, found);
  return bad(
    ID,
    WHAT,
    found,
    `setup.sh names ${wanted}; names are asked for at ${others.join(', ')}`,
    SET_UP,
  );
}

/**
 * The way to the resolver by `ip route get`, and whether it answered; `dev` undefined where there is no way. `tunnels`: where
 * programs' packets go first.
 */
export function judgeResolverWay(
  resolver: string,
  dev: string | undefined,
  answered: boolean,
  tunnels: readonly string[] = ['wg0'],
): Finding {
  const what = `the way to ${resolver}`;
  const found = dev === undefined ? 'none' : `by ${dev}${answered ? ', answers' : ''}`;
  if (dev === undefined || !tunnels.includes(dev))
    return bad(
      'resolver-way',
      what,
      found,
      dev === undefined
        ? 'there is no route to it'
        : `it does not lead into ${tunnels.length === 1 ? tunnels[0] : 'a wgnetN'}`,
      SET_UP,
    );
  if (!answered)
    return bad(
      'resolver-way',
      what,
      found,
      'no answer over UDP in 2 s: the tunnels carry nothing, or it is no resolver ("dns:" in config.cfg)',
      MEND_SERVERS,
    );
  return good('resolver-way', what, found);
}
