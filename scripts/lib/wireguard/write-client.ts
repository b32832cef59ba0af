import { join } from 'node:path';
import { list, readTextIfAny, remove, removeHalves, writeTextIfChanged } from '../files.ts';
import type { ClientFile } from './client-files.ts';
import { type Topology, tunnelsOf } from './topology.ts';

/** A network is told by its comp server, and by its first proxy where it has none (mode quic). */
const FIRST = ['wg0', 'wgnet1'];

/** The endpoint of the server by which the files in a directory are told; undefined where there are none. */
export const endpointIn = (directory: string): string | undefined =>
  FIRST.map((name) => readTextIfAny(join(directory, `${name}.conf`)))
    .map((text) => /^Endpoint = (\S+)$/m.exec(text ?? '')?.[1])
    .find((endpoint) => endpoint !== undefined);

/**
 * Servers that the files in a directory name, as a set-up wrote them, and that are none of the network's (any more). One
 * that has another address now has moved, and is none of them.
 */
export function retiredIn(directory: string, topology: Topology): { name: string; address: string }[] {
  const now = new Set(tunnelsOf(topology).flatMap(({ server }) => [server.name, server.address]));
  return list(directory)
    .filter((name) => /^wg(?:0|net\d+)\.conf$/.test(name))
    .flatMap((file) => {
      const text = readTextIfAny(join(directory, file)) ?? '';
      const name = /^# wg\S+: (?:proxy|comp server) (.+)\. Written by /.exec(text)?.[1];
      const address = /^Endpoint = \[?([^\]\s]+?)\]?:\d+$/m.exec(text)?.[1];
      if (name === undefined || address === undefined) return [];
      return now.has(name) || now.has(address) ? [] : [{ name, address }];
    });
}

/** Files of tunnels that are no more. */
export function staleIn(directory: string, files: readonly ClientFile[]): string[] {
  const names = new Set(files.map(({ name }) => name));
  return list(directory)
    .filter((name) => /^wg(?:0|net\d+)\.conf$/.test(name) && !names.has(name))
    .map((name) => join(directory, name));
}

/** Writes what differs; the files of tunnels that are no more go away. What was done, a line each. */
export function writeClientFiles(directory: string, files: readonly ClientFile[]): string[] {
  removeHalves(directory);
  const written = files.filter(({ name, text, mode }) =>
    writeTextIfChanged(join(directory, name), text, mode),
  );
  const stale = staleIn(directory, files);
  for (const path of stale) remove(path);
  return [
    ...written.map(({ name }) => `wrote ${join(directory, name)}`),
    ...stale.map((path) => `removed ${path}`),
  ];
}
