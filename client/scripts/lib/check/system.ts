/** Kernel settings and the resolver. Pure. */
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

/** What setup.sh says of the network; undefined where it says nothing, or could not be read. */
export interface SetUp {
  paths: string[] | undefined;
  resolver: string | undefined;
  /** It guards the devices with tc as well. */
  guards: boolean;
}

/** Out of the text of setup.sh. */
export function setUpIn(text: string): SetUp {
  const paths = /^PATHS=\(([^)]*)\)/m.exec(text)?.[1]?.trim();
  const resolver = /^RESOLVER=["']?([0-9a-fA-F.:]+)/m.exec(text)?.[1];
  return { paths: paths ? paths.split(/\s+/) : undefined, resolver, guards: /\btc filter\b/.test(text) };
}

/** Preferences of the first and of the last of tc's filters: what bears the tunnels' mark, and the refusal. */
const GUARDS = ['51820', '51823'];

/** The third layer. `filters`: by device what `tc filter show dev DEVICE egress` printed; undefined where there is no tc. */
export function judgeGuard(
  { guards }: Pick<SetUp, 'guards'>,
  filters: ReadonlyMap<string, string | undefined>,
): Finding {
  const [id, what] = ['guard', 'tc’s filters on the devices'];
  if (!guards)
    return leftOut(id, what, '/etc/wireguard/setup.sh, which would make some, cannot be read, or makes none');
  if ([...filters.values()].includes(undefined))
    return leftOut(id, what, 'tc is missing', 'apt-get install iproute2');
  const bare = [...filters].filter(
    ([, text = '']) => !GUARDS.every((pref) => text.includes(` pref ${pref} bpf `)),
  );
  if (bare.length === 0) return good(id, what, [...filters.keys()].join(', '));
  const names = bare.map(([name]) => name).join(', ');
  return bad(
    id,
    what,
    `none on ${names}`,
    'the third layer, for when somebody flushes nftables, is gone',
    SET_UP,
  );
}

export const nameserversIn = (resolvConf: string): string[] =>
  [...resolvConf.matchAll(/^[ \t]*nameserver[ \t]+(\S+)/gm)].map(([, address = '']) => address);

/** Docker's own, which asks from the host. */
const DOCKERS = '127.0.0.11';
const ID = 'resolver';
const WHAT = 'resolver in /etc/resolv.conf';

export function judgeResolver(nameservers: readonly string[], wanted: string | undefined): Finding {
  const found = nameservers.join(', ') || 'none';
  if (nameservers.length === 0)
    return bad(ID, WHAT, found, 'no resolver is named, so this machine’s own is asked', SET_UP);
  if (nameservers.includes(DOCKERS))
    return bad(ID, WHAT, found, `${DOCKERS} is Docker’s own, which asks past the tunnels`, SET_UP);
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

/** The way to the resolver by `ip -j route get`, and whether it answered; `dev` undefined where there is no way. */
export function judgeResolverWay(resolver: string, dev: string | undefined, answered: boolean): Finding {
  const what = `the way to ${resolver}`;
  const found = dev === undefined ? 'none' : `by ${dev}${answered ? ', answers' : ''}`;
  if (dev !== 'wg0')
    return bad(
      'resolver-way',
      what,
      found,
      dev === undefined ? 'there is no route to it' : 'it does not lead into wg0',
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
