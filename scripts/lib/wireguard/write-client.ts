import { join } from 'node:path';
import { list, readTextIfAny, remove, removeHalves, writeTextIfChanged } from '../files.ts';
import type { ClientFile } from './client-files.ts';
import type { Topology } from './topology.ts';

/** The comp server's endpoint that the files in a directory name; undefined where there are none. */
export const endpointIn = (directory: string): string | undefined =>
  /^Endpoint = (\S+)$/m.exec(readTextIfAny(join(directory, 'wg0.conf')) ?? '')?.[1];

/** Servers that the files in a directory name, as a set-up wrote them, and that are none of the network's (any more). */
export function retiredIn(directory: string, { paths, comp }: Topology): { name: string; address: string }[] {
  const now = new Set([...paths, comp].map(({ server }) => server.address));
  return list(directory)
    .filter((name) => /^wg(?:0|net\d+)\.conf$/.test(name))
    .flatMap((file) => {
      const text = readTextIfAny(join(directory, file)) ?? '';
      const name = /^# wg\S+: (?:proxy|comp server) (.+)\. Written by /.exec(text)?.[1];
      const address = /^Endpoint = \[?([^\]\s]+?)\]?:\d+$/m.exec(text)?.[1];
      return name === undefined || address === undefined || now.has(address) ? [] : [{ name, address }];
    });
}

/** Writes what differs; the files of tunnels that are no more go away. What was done, a line each. */
export function writeClientFiles(directory: string, files: readonly ClientFile[]): string[] {
  removeHalves(directory);
  const written = files.filter(({ name, text, mode }) =>
    writeTextIfChanged(join(directory, name), text, mode),
  );
  const names = new Set(files.map(({ name }) => name));
  const stale = list(directory).filter((name) => /^wgnet\d+\.conf$/.test(name) && !names.has(name));
  for (const name of stale) remove(join(directory, name));
  return [
    ...written.map(({ name }) => `wrote ${join(directory, name)}`),
    ...stale.map((name) => `removed ${join(directory, name)}`),
  ];
}
