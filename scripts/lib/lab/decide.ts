/** What `up` has to do, from what was asked for and what is there. */
import { Fault } from '../cli.ts';
import { isMachine, type Role, rolesOf, type Shape } from './roles.ts';

export interface Present {
  /** Of the last `up` that came to its end. */
  shape: Shape | undefined;
  /** Its client has Chromium. */
  browser: boolean;
  ipv6?: boolean;
  namespaces: readonly Role[];
  machines: readonly Role[];
}

export type Decision =
  | { do: 'nothing' }
  /** Clear what there is, and build all. */
  | { do: 'build' }
  /** The lab stands; only these machines are to be started: they are down, or run another system than they should. */
  | { do: 'start'; roles: Role[] };

export interface Wanted extends Shape {
  /** The client is to have Chromium; one that has it keeps it. */
  browser: boolean;
  /** It is to have IPv6; one that has it keeps it. */
  ipv6?: boolean;
}

/** A Fault where a lab of another shape is up. */
export function decide(
  name: string,
  wanted: Wanted,
  { shape, browser, ipv6, namespaces, machines }: Present,
): Decision {
  if (shape === undefined || machines.length === 0) return { do: 'build' };
  if (shape.vpn !== wanted.vpn || shape.comp !== wanted.comp)
    throw new Fault({
      what: `the lab "${name}" is up with ${shape.vpn} vpn and ${shape.comp} comp droplets`,
      next: `npx zx scripts/lab.ts down --name ${name}, or choose another --name for a second lab`,
    });
  if (wanted.ipv6 && !ipv6)
    throw new Fault({
      what: `the lab "${name}" is up without IPv6`,
      next: `npx zx scripts/lab.ts down --name ${name}, or choose another --name for a second lab`,
    });
  const roles = rolesOf(shape);
  if (!roles.every((role) => namespaces.includes(role))) return { do: 'build' };
  const lacksBrowser = wanted.browser && !browser;
  const isWrong = (role: Role): boolean => !machines.includes(role) || (role === 'client' && lacksBrowser);
  const down = roles.filter((role) => isMachine(role) && isWrong(role));
  return down.length === 0 ? { do: 'nothing' } : { do: 'start', roles: down };
}
