/** scripts/wgnet-setup.ts in a lab's controller, as its users call it. */
import { join, relative } from 'node:path';
import type { Lab, Outcome } from './open.ts';
import { PROJECT } from './place.ts';

export const setupWords = ({ directory, clientDirectory }: Lab, ...more: string[]): string[] => {
  const here = (path: string): string => relative(process.cwd(), path);
  const files = ['-i', here(join(directory, 'hosts.ini')), '-c', here(join(directory, 'config.cfg'))];
  return [
    'npx',
    'zx',
    here(join(PROJECT, 'scripts', 'wgnet-setup.ts')),
    ...files,
    '-o',
    here(clientDirectory),
    ...more,
  ];
};

export interface SetupOutcome extends Outcome {
  /** The recap's counts by host. */
  hosts: Map<string, { ok: number; changed: number; unreachable: number; failed: number }>;
}

const RECAP = /^(\S+)\s+: ok=(\d+)\s+changed=(\d+)\s+unreachable=(\d+)\s+failed=(\d+)/gm;

/** Runs wgnet-setup against the lab's droplets and reads its recap. */
export async function runSetup(lab: Lab, ...more: string[]): Promise<SetupOutcome> {
  const outcome = await lab.controller(setupWords(lab, ...more));
  const rows = [...outcome.stdout.matchAll(RECAP)].map(([, host = '', ...counts]) => {
    const [ok = 0, changed = 0, unreachable = 0, failed = 0] = counts.map(Number);
    return [host, { ok, changed, unreachable, failed }] as const;
  });
  return { ...outcome, hosts: new Map(rows) };
}

/** Sum of one count over all hosts. */
export const total = ({ hosts }: SetupOutcome, count: 'changed' | 'unreachable' | 'failed'): number =>
  [...hosts.values()].reduce((sum, host) => sum + host[count], 0);
