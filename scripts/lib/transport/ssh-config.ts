/** The door to ~/.ssh/config and /etc/ssh/ssh_config: hosts as ssh(1) would connect to them. */
import { homedir, userInfo } from 'node:os';
import { dirname, isAbsolute, join } from 'node:path';
import { Fault, paint } from '../cli.ts';
import { exists, isFolder, list, readText } from '../files.ts';
import { addressProblem, canonicalAddress } from '../inventory/address.ts';
import { filesOf, type Sources } from './config/evaluate.ts';
import { homePath } from './config/fill.ts';
import { settle, type World } from './config/settings.ts';
import type { LoginTarget } from './login-target.ts';

const SYSTEM = '/etc/ssh/ssh_config';

const localUser = (): string => {
  try {
    return userInfo().username;
  } catch {
    // A user without an entry in passwd.
    return process.env.USER ?? 'root';
  }
};

/** Reads included files, and says once what is passed over. */
function sourcesOf(home: string, notice: (line: string) => void): Sources {
  const said = new Set<string>();
  return {
    read: (path) => (exists(path) && !isFolder(path) ? readText(path) : undefined),
    included: (pattern, from) => {
      const folder = from.startsWith('/etc/ssh/') ? dirname(SYSTEM) : join(home, '.ssh');
      const full = pattern.startsWith('~') ? homePath(pattern, home) : pattern;
      return filesOf(isAbsolute(full) ? full : join(folder, full), (at) => (isFolder(at) ? list(at) : []));
    },
    notice: (at, what) => {
      const line = `${at}: ${what}`;
      if (!said.has(line)) notice(line);
      said.add(line);
    },
  };
}

/** This machine with the user's own file and the system's. */
export function worldOf(
  home: string,
  files: readonly string[] = [join(home, '.ssh', 'config'), SYSTEM],
  notice = (line: string): void => console.error(`${paint.cyan('notice:')} ${line}`),
): World {
  return { files, sources: sourcesOf(home, notice), home, localUser: localUser(), env: process.env };
}

/**
 * Hosts as ssh(1) would connect to them, by ~/.ssh/config and /etc/ssh/ssh_config, where the inventory does not say
 * otherwise: HostName, port, user, keys, the way there. A Fault has the line that nothing can be made of, or that
 * gives two hosts one address. Reads files only.
 */
export function withSshConfig<H extends LoginTarget>(
  hosts: readonly H[],
  inventory: string,
  world = worldOf(homedir()),
): H[] {
  const seen = new Map<string, H>();
  return hosts.map((host) => {
    const { implied, proxyJump, line, name } = host;
    const at = `${inventory}:${line}`;
    const {
      address,
      port,
      user,
      ssh,
      at: place,
    } = settle(
      {
        host: host.address,
        port: (implied?.port ?? host.port === 22) ? undefined : host.port,
        user: implied?.user ? undefined : host.user,
        proxyJump: proxyJump === undefined ? undefined : { text: proxyJump, at },
      },
      world,
    );
    const wrong = place === undefined ? undefined : addressProblem(address);
    if (wrong !== undefined)
      throw new Fault({ at: place ?? at, what: `the HostName of ${name} is ${address}: ${wrong}` });
    const other = seen.get(canonicalAddress(address));
    if (other !== undefined)
      throw new Fault({
        at: place ?? at,
        what: `${name} has the address of ${other.name}: ${address}`,
        next: 'give each host its own address; each must be a machine of its own',
      });
    const settled = {
      ...host,
      address: place === undefined ? host.address : address,
      port,
      user: user ?? host.user,
      ssh,
    };
    seen.set(canonicalAddress(address), settled);
    return settled;
  });
}
