/** Where a lab lives: its folder, and the prefix that marks what it owns on this machine. */
import { createHash } from 'node:crypto';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Fault } from '../cli.ts';
import { isRole, type Role } from './roles.ts';

/** The project's root: the folder that holds scripts/ and client/. */
export const PROJECT = resolve(fileURLToPath(new URL('../../..', import.meta.url)));

export interface Place {
  name: string;
  project: string;
  /** Begins the name of every namespace and machine of this lab, and of no other's. */
  prefix: string;
  /** The lab's own folder: keys, hosts.ini, config.cfg, logs; removed with the lab. */
  directory: string;
  /** The client files' folder, which the client machine sees as /etc/wireguard. */
  clientDirectory: string;
}

/** The place of the lab called `name`; the project's path is part of it, so that two clones never collide. */
export function placeOf(name: string, project: string = PROJECT): Place {
  if (!/^[a-z0-9](?:[a-z0-9-]{0,18}[a-z0-9])?$/.test(name))
    throw new Fault({
      at: `--name ${name}`,
      what: 'a lab is called by 1 to 20 of a-z and 0-9, with - in between',
      next: 'choose such a name, as in --name second',
    });
  const hash = createHash('sha256').update(project).digest('hex').slice(0, 4);
  const main = name === 'lab';
  const directory = join(project, main ? '.lab' : `.lab-${name}`);
  return {
    name,
    project,
    prefix: `comps-${name}-${hash}-`,
    directory,
    clientDirectory: main ? join(project, 'client', 'generated') : join(directory, 'client'),
  };
}

/** How a person calls lab.ts for a lab: `npx zx scripts/lab.ts exec --name second`. */
export const labCommand = (verb: string, name: string): string =>
  `npx zx scripts/lab.ts ${verb}${name === 'lab' ? '' : ` --name ${name}`}`;

/** The name of a role's namespace and machine on this computer. */
export const nameOf = (place: Place, role: Role): string => place.prefix + role;

/** The role that bears this name in this lab; undefined for anything that the lab does not own. */
export function roleIn(place: Place, name: string): Role | undefined {
  if (!name.startsWith(place.prefix)) return undefined;
  const rest = name.slice(place.prefix.length);
  return isRole(rest) ? rest : undefined;
}
