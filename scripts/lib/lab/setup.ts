/** The project's commands in a lab's controller, as their users call them. */
import { join, relative } from 'node:path';
import { inventoryFile, settingsFile } from './cloud-seat.ts';
import type { Lab, Outcome } from './open.ts';
import { PROJECT } from './place.ts';

const here = (path: string): string => relative(process.cwd(), path);

const script = (name: string): string[] => ['npx', 'zx', here(join(PROJECT, 'scripts', name))];

/** wgnet-setup of the droplets that a lab has from its beginning. */
export const setupWords = ({ directory, clientDirectory }: Lab, ...more: string[]): string[] => {
  const files = ['-i', here(join(directory, 'hosts.ini')), '-c', here(join(directory, 'config.cfg'))];
  return [...script('wgnet-setup.ts'), ...files, '-o', here(clientDirectory), ...more];
};

/** The commands that somebody with an account at the lab's cloud has. */
export type AccountCommand = 'provision.ts' | 'wgnet-setup.ts' | 'main.ts' | 'teardown.ts';

/** One of them, with the files of the lab's account. */
export const accountWords = (lab: Lab, name: AccountCommand, ...more: string[]): string[] => {
  const files = ['-i', here(inventoryFile(lab)), '-c', here(settingsFile(lab))];
  const out = name === 'wgnet-setup.ts' || name === 'main.ts' ? ['-o', here(lab.clientDirectory)] : [];
  return [...script(name), ...files, ...out, ...more];
};

/** A host's row of a recap. */
export interface Counts {
  ok: number;
  changed: number;
  unreachable: number;
  failed: number;
}

export interface SetupOutcome extends Outcome {
  /** The recap's counts by host; of several recaps the sums. */
  hosts: Map<string, Counts>;
}

const RECAP = /^(\S+)\s+: ok=(\d+)\s+changed=(\d+)\s+unreachable=(\d+)\s+failed=(\d+)/gm;

/** Reads the recaps in what a command said. */
export function countsIn(stdout: string): Map<string, Counts> {
  const hosts = new Map<string, Counts>();
  for (const [, host = '', ...numbers] of stdout.matchAll(RECAP)) {
    const [ok = 0, changed = 0, unreachable = 0, failed = 0] = numbers.map(Number);
    const before = hosts.get(host) ?? { ok: 0, changed: 0, unreachable: 0, failed: 0 };
    hosts.set(host, {
      ok: before.ok + ok,
      changed: before.changed + changed,
      unreachable: before.unreachable + unreachable,
      failed: before.failed + failed,
    });
  }
  return hosts;
}

/** Without npx, which nobody sees here and which takes half a second of a processor at each start. */
const quick = ([, , script = '', ...words]: readonly string[]): string[] => [
  process.execPath,
  '--import=tsx',
  script,
  ...words,
];

async function inController(lab: Lab, words: readonly string[]): Promise<SetupOutcome> {
  const outcome = await lab.controller(quick(words));
  return { ...outcome, hosts: countsIn(outcome.stdout) };
}

/** Runs wgnet-setup against the lab's own droplets. */
export const runSetup = (lab: Lab, ...more: string[]): Promise<SetupOutcome> =>
  inController(lab, setupWords(lab, ...more));

/** Runs a command with the lab's account. */
export const runAccount = (lab: Lab, name: AccountCommand, ...more: string[]): Promise<SetupOutcome> =>
  inController(lab, accountWords(lab, name, ...more));

/** Sum of one count over all hosts. */
export const total = ({ hosts }: SetupOutcome, count: 'changed' | 'unreachable' | 'failed'): number =>
  [...hosts.values()].reduce((sum, host) => sum + host[count], 0);
