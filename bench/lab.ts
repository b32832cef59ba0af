/** The lab that a bench runs in. */
import { atEnd, EXIT, Fault } from '../scripts/lib/cli.ts';
import { readText } from '../scripts/lib/files.ts';
import { clientRun } from '../scripts/lib/lab/client.ts';
import { type Lab, labDown, labUp, type Role, type UpOptions } from '../scripts/lib/lab/lab.ts';
import { runSetup } from '../scripts/lib/lab/setup.ts';
import { setupTrouble } from './figures.ts';

/** A lab of this bench's own, set up with these flags, its client up; it goes when the bench ends. */
export async function labSetUp(options: UpOptions, ...flags: string[]): Promise<Lab> {
  const name = `bench-${process.pid}`;
  atEnd(() => labDown(name).then(() => undefined));
  const lab = await labUp({ ...options, name });
  const outcome = await runSetup(lab, ...flags);
  if (outcome.code !== EXIT.ok)
    throw new Fault({ at: 'wgnet-setup', what: setupTrouble(outcome), code: EXIT.failed });
  await clientRun(lab, '/etc/wireguard/setup.sh', 'up');
  return lab;
}

/** Runs a command in a role that must succeed; its standard output. */
export async function runIn(lab: Lab, role: Role, words: readonly string[], input?: string): Promise<string> {
  const { code, stdout, stderr } = await lab.exec(role, words, input === undefined ? {} : { input });
  if (code === EXIT.ok) return stdout;
  throw new Fault({ at: `${role}: ${words.join(' ')}`, what: stderr.trim(), code: EXIT.failed });
}

/** Puts a program where it runs: `/NAME` in a machine of the lab. */
export async function putFile(lab: Lab, role: Role, file: string, name: string): Promise<void> {
  await runIn(lab, role, ['sh', '-c', `cat >/${name}`], readText(file));
}

/**
 * Makes the client's cable a line of so many Mbit/s each way, with a queue of `queue` ms, by default as a home router has
 * it; without a number there is none. What a line carries does not hang on how busy this computer is.
 */
export async function setLine(lab: Lab, mbit: number | undefined, queue = 30): Promise<void> {
  const shape = ['root', 'tbf', 'rate', `${mbit}mbit`, 'burst', '16k', 'latency', `${queue}ms`];
  for (const [role, device] of [
    ['client', 'eth0'],
    ['net', 'client'],
  ] as const) {
    const words = mbit === undefined ? ['delete', 'dev', device, 'root'] : ['add', 'dev', device, ...shape];
    await runIn(lab, role, ['tc', 'qdisc', ...words]);
  }
}
