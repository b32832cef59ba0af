/** The demo as it is now, as lines for a person. */
import { paint } from '../cli.ts';
import { isHealthy, type Machine } from './machines.ts';

/** One tunnel of the client, from `wg show all transfer`. */
export interface Carried {
  tunnel: string;
  received: number;
  sent: number;
}

/** Reads `wg show all transfer`: name, the peer’s key, bytes received, bytes sent. */
export const carriedIn = (listing: string): Carried[] =>
  listing
    .split('\n')
    .map((line) => line.split('\t'))
    .filter((fields) => fields.length === 4)
    .map(([tunnel = '', , received, sent]) => ({ tunnel, received: Number(received), sent: Number(sent) }))
    .sort((a, b) => a.tunnel.localeCompare(b.tunnel, 'en', { numeric: true }));

const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`.padStart(10);

export const machineLines = (machines: readonly Machine[]): string[] =>
  machines.map((machine) => {
    const colour = isHealthy(machine) ? paint.green : paint.red;
    return `  ${machine.name.padEnd(10)} ${colour(machine.state)}`;
  });

/** Bytes a path; `current` is the one that the next packet takes. */
export function pathLines(carried: readonly Carried[], current: string | undefined): string[] {
  const paths = carried.filter(({ tunnel }) => tunnel.startsWith('wgnet'));
  const sum = paths.reduce((all, { received, sent }) => all + received + sent, 0) || 1;
  return paths.map(({ tunnel, received, sent }) => {
    const share = `${Math.round(((received + sent) / sum) * 100)} %`.padStart(6);
    const mark = tunnel === current ? '  the current path' : '';
    return `  ${tunnel.padEnd(10)} ${share}  down ${megabytes(received)}  up ${megabytes(sent)}${mark}`;
  });
}
