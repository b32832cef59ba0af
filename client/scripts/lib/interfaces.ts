import { Fault } from './fault.ts';
import { badFlag } from './flags.ts';
import { askIp } from './ip.ts';

/** What brings the client's interfaces up. */
const SET_UP = '/etc/wireguard/setup.sh';

/** Only tunnels to proxies: a route through anything else would carry packets past them. */
const NAME = /^wgnet[1-9]\d*$/;
/** Whether this is the name of a tunnel to a proxy. */
export const isTunnel = (name: string): boolean => NAME.test(name);
const numberOf = (name: string): number => Number(name.slice('wgnet'.length));

/** The wgnetN among the interfaces that `ip -j link show` printed, in numeric order. */
export function tunnelNames(json: string): string[] {
  const links: { ifname: string }[] = JSON.parse(json);
  return links
    .map((link) => link.ifname)
    .filter((name) => NAME.test(name))
    .sort((a, b) => numberOf(a) - numberOf(b));
}

/** The names in a list like `wgnet1,wgnet3`, in the order given; throws a Fault where one is no wgnetN or comes twice. */
export function namesIn(list: string): string[] {
  const names = list.split(',').map((name) => name.trim());
  for (const [i, name] of names.entries()) {
    if (!NAME.test(name)) throw badFlag('--interfaces', name, 'the name of a tunnel such as wgnet1');
    if (names.indexOf(name) !== i)
      throw new Fault({ at: '--interfaces', what: `${name} is there more than once` });
  }
  return names;
}

/** The wgnetN of this network namespace, in numeric order. */
export const existingTunnels = (): string[] => tunnelNames(askIp('-j', 'link', 'show'));

/** The interfaces to migrate over: those that `at` names, else all that exist; throws a Fault where one is missing. */
export function selectTunnels(
  wanted: readonly string[] | undefined,
  existing: readonly string[],
  at = '--interfaces',
): string[] {
  if (existing.length === 0)
    throw new Fault({ what: 'there is no wgnet interface in this network namespace', next: SET_UP });
  const missing = wanted?.filter((name) => !existing.includes(name)) ?? [];
  if (missing.length > 0)
    throw new Fault({
      at,
      what: `no interface ${missing.join(', ')}; there is ${existing.join(', ')}`,
      ...(at !== '--interfaces' && { next: `${SET_UP}, where it should be there` }),
    });
  return [...(wanted ?? existing)];
}
