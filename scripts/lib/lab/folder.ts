/** Writes the lab's folder: keys, inventory, settings, web site. Private keys stay readable for root alone. */
import { join } from 'node:path';
import { list, makeDirectory, readText, setMode, writeText } from '../files.ts';
import { run } from '../transport/local.ts';
import type { Place } from './place.ts';
import { dropletsOf, type Role } from './roles.ts';
import { makeSites } from './site.ts';
import type { State } from './state.ts';
import { configCfg, hostsIni, knownHosts } from './workspace.ts';

const makeKey = (path: string, comment: string): Promise<string> =>
  run(['ssh-keygen', '-q', '-t', 'ed25519', '-N', '', '-C', comment, '-f', path]);

function privateFolder(path: string): void {
  makeDirectory(path);
  setMode(path, 0o700);
}

/** Everything a lab's folder holds before its machines start; the folder must not exist yet. */
export async function writeFolder(place: Place, state: State): Promise<void> {
  const { directory, clientDirectory } = place;
  const inLab = (name: string): string => join(directory, name);
  for (const path of [directory, inLab('keys'), inLab('log'), inLab('runs')]) privateFolder(path);
  if (list(clientDirectory).length === 0) privateFolder(clientDirectory);
  const droplets = dropletsOf(state);
  await Promise.all([
    makeKey(inLab('id_ed25519'), `lab ${place.name}`),
    ...droplets.map((role) => makeKey(inLab(`keys/${role}`), role)),
    makeSites(directory, state.ipv6),
  ]);
  const keys = new Map<Role, string>(
    droplets.map((role) => [role, readText(inLab(`keys/${role}.pub`)).trim()]),
  );
  writeText(inLab('known_hosts'), knownHosts(keys, state.ipv6));
  writeText(inLab('hosts.ini'), hostsIni(state, inLab('id_ed25519'), state.ipv6));
  writeText(inLab('config.cfg'), configCfg(state));
}
