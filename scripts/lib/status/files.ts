/** The client's files against what a set-up would write now. Pure. */
import {
  type ClientFile,
  type ClientSettings,
  clientFiles,
  type TunnelKeys,
} from '../wireguard/client-files.ts';
import type { Topology } from '../wireguard/topology.ts';
import type { FileSeen } from './judge.ts';

/** A key in the place of one that is not known; a file that would hold it is not judged. */
const UNKNOWN = '';

/** Names of settings whose values differ, each once; never a value, as there are keys among them. */
function differing(is: string, wanted: string): string[] {
  const settings = (text: string): string[] => text.split('\n').filter((line) => !line.startsWith('#'));
  const [a, b] = [settings(is), settings(wanted)];
  const odd = [...a.filter((line) => !b.includes(line)), ...b.filter((line) => !a.includes(line))];
  return [...new Set(odd.map((line) => /^(\w+) = /.exec(line)?.[1] ?? 'other lines'))];
}

function compare(is: string | undefined, { name, text }: ClientFile): FileSeen {
  if (is === undefined) return { is: 'missing' };
  if (is === text) return { is: 'current' };
  const names = name.endsWith('.conf') ? differing(is, text).join(', ') : '';
  return { is: 'older', what: names || 'its words' };
}

/**
 * Each file, by the tunnel's interface, and `setup.sh`. `keys`: of the tunnels whose two keys are known; the file of another
 * tunnel is only missed where there is none. `textOf` gives a file's text by its name.
 */
export function judgeFiles(
  topology: Topology,
  keys: ReadonlyMap<string, TunnelKeys>,
  settings: ClientSettings,
  textOf: (name: string) => string | undefined,
): Map<string, FileSeen | undefined> {
  const none = { privateKey: UNKNOWN, serverPublicKey: UNKNOWN };
  const files = clientFiles(topology, (tunnel) => keys.get(tunnel.interface) ?? none, settings);
  return new Map(
    files.map((file) => {
      const tunnel = file.name.replace(/\.conf$/, '');
      const seen = compare(textOf(file.name), file);
      const judged = file.name === 'setup.sh' || keys.has(tunnel) || seen.is === 'missing';
      return [tunnel, judged ? seen : undefined];
    }),
  );
}
