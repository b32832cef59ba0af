/** What the client machine of a lab does, for the demo and tests. */
import { EXIT, Fault } from '../cli.ts';
import type { Lab } from './open.ts';

/** Runs a command in the client that must succeed; its standard output. */
export async function clientRun(lab: Lab, ...words: string[]): Promise<string> {
  const { code, stdout, stderr } = await lab.exec('client', words);
  if (code === 0) return stdout;
  const said = stderr.trim() || stdout.trim() || 'it said nothing';
  throw new Fault({
    at: `client: ${words.join(' ')}`,
    what: `exit code ${code}: ${said}`,
    code: EXIT.failed,
  });
}

/** Bytes that the client's tunnels carried, up and down together, by interface: `wgnet1`, … */
export async function pathBytes(lab: Lab): Promise<Map<string, number>> {
  const table = await clientRun(lab, 'sh', '-c', 'cat /proc/net/dev');
  const rows = table.matchAll(/^\s*(wgnet\d+):\s*(\d+)(?:\s+\d+){7}\s+(\d+)/gm);
  return new Map([...rows].map(([, name = '', received, sent]) => [name, Number(received) + Number(sent)]));
}

/** The words that run a script of client/scripts in the client, as its users do. */
export const clientScript = (name: string, ...words: string[]): string[] => [
  'npx',
  'zx',
  `/comps/${name}`,
  ...words,
];
