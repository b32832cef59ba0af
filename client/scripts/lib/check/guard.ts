/** The third layer: tc's filters on what leaves by a device. Pure. */
import { bad, type Finding, good, leftOut, SET_UP } from './verdict.ts';

/** One of tc's filters as setup.sh makes it: `1,6 0 0 2` at a preference. */
export interface Guard {
  preference: number;
  bytecode: string;
}

/** Those that the text of setup.sh makes, by their order. */
export const guardsIn = (text: string): Guard[] =>
  [...text.matchAll(/^[ \t]*bar "\$1" (\d+) '([\d, ]+)'/gm)]
    .map(([, preference, bytecode = '']) => ({ preference: Number(preference), bytecode }))
    .sort((a, b) => a.preference - b.preference);

/** Interfaces by which this machine itself could send: as `real_interfaces` of setup.sh, from `ip -d -j link show`. */
export function guardedIn(json: string): string[] {
  const links = JSON.parse(json) as {
    ifname: string;
    linkinfo?: { info_kind?: string; info_slave_kind?: string };
  }[];
  return links
    .filter(({ ifname }) => !/^(lo|wg0|wgnet\d+)$/.test(ifname))
    .filter(({ linkinfo: { info_kind: kind = '', info_slave_kind: port } = {} }) => {
      // What leaves there goes to a container, or to a virtual machine.
      return !(port === 'bridge' && ['veth', 'tun'].includes(kind));
    })
    .map(({ ifname }) => ifname);
}

interface Filter {
  preference: number;
  /** Its words behind `chain 0`. */
  text: string;
}

/** The filters that `tc filter show dev DEVICE egress` printed; other chains are reached only by these. */
const filtersIn = (printed: string): Filter[] =>
  [...printed.matchAll(/^filter .*?\bpref (\d+) \S+ chain 0 +(\S.*)$/gm)].map(
    ([, preference, text = '']) => ({ preference: Number(preference), text }),
  );

const isGuard = ({ preference, text }: Filter, guard: Guard | undefined): boolean =>
  guard !== undefined &&
  preference === guard.preference &&
  /^handle 0x1 /.test(text) &&
  / direct-action\b/.test(text) &&
  /bytecode '([^']*)'/.exec(text)?.[1] === guard.bytecode;

const ID = 'guard';
const WHAT = 'tc’s filters on the devices';

/** What is wrong with a device's filters, and what mends it; undefined where they are as they should be. */
function wrongOn(
  device: string,
  printed: string,
  guards: readonly Guard[],
): { found: string; reason: string; remedy: string } | undefined {
  const last = guards.at(-1)?.preference ?? 0;
  // The last of ours throws all else away: nothing behind it is asked.
  const asked = filtersIn(printed).filter(({ preference }) => preference <= last);
  const lacks = guards.filter((guard) => !asked.some((filter) => isGuard(filter, guard)));
  const strange = asked.find((filter) => !guards.some((guard) => isGuard(filter, guard)));
  const own = guards.some(({ preference }) => preference === strange?.preference);
  if (strange !== undefined && !(own && lacks.some(({ preference }) => preference === strange.preference)))
    return {
      found: `a filter on ${device} that is not ours, preference ${strange.preference}`,
      reason: 'it is asked before ours are through, and may let out what they would not',
      remedy: `tc filter delete dev ${device} egress pref ${strange.preference}; ${SET_UP}`,
    };
  if (asked.length === 0)
    return {
      found: `none on ${device}`,
      reason: 'the third layer, for when somebody flushes nftables, is gone',
      remedy: SET_UP,
    };
  if (lacks.length === 0) return undefined;
  const preferences = lacks.map(({ preference }) => preference).join(', ');
  return {
    found: `${device}: not as setup.sh makes them, preference ${preferences}`,
    reason: 'the third layer, for when somebody flushes nftables, has a hole or is gone',
    // Of another kind there it would not be replaced.
    remedy:
      strange === undefined
        ? SET_UP
        : `tc filter delete dev ${device} egress pref ${strange.preference}; ${SET_UP}`,
  };
}

/** The third layer. `filters`: by device what `tc filter show dev DEVICE egress` printed; undefined where there is no tc. */
export function judgeGuard(
  guards: readonly Guard[],
  filters: ReadonlyMap<string, string> | undefined,
): Finding {
  if (guards.length === 0)
    return leftOut(ID, WHAT, '/etc/wireguard/setup.sh, which would make some, cannot be read, or makes none');
  if (filters === undefined) return leftOut(ID, WHAT, 'tc is missing', 'apt-get install iproute2');
  for (const [device, printed] of filters) {
    const wrong = wrongOn(device, printed, guards);
    if (wrong !== undefined) return bad(ID, WHAT, wrong.found, wrong.reason, wrong.remedy);
  }
  return good(ID, WHAT, [...filters.keys()].join(', '));
}
