/** The lab's machines that run, read from the kernel's list of processes and from nowhere else. */
import { list, readTextIfStill } from '../files.ts';
import { type Place, roleIn } from './place.ts';
import type { Role } from './roles.ts';

export interface Running {
  /** The systemd-nspawn process on this computer's side. */
  host: number;
  /** Process 1 of the machine, by the number it has outside; undefined in its first and last moments. */
  leader: number | undefined;
}

/** The machine that a command line runs; undefined for any other command. */
export function machineIn(commandLine: string): string | undefined {
  const [program, ...words] = commandLine.split('\0');
  if (program !== 'systemd-nspawn') return undefined;
  return words.find((word) => word.startsWith('--machine='))?.slice('--machine='.length);
}

/** Machines of labs that run a whole system, systemd first, among command lines; each once. */
export function bootedIn(commandLines: readonly string[]): Set<string> {
  const booted = commandLines.filter((line) => line.split('\0').includes('--boot')).map(machineIn);
  return new Set(booted.filter((name) => name?.startsWith('comps-')).map(String));
}

const childrenOf = (pid: number | string): string[] =>
  (readTextIfStill(`/proc/${pid}/task/${pid}/children`) ?? '').split(' ').filter((child) => child !== '');

/** Whether the system with this process 1 has come so far that its journal runs: what it needs of the kernel for itself, it has. */
export const hasBegun = (leader: number): boolean =>
  childrenOf(leader).some((pid) => readTextIfStill(`/proc/${pid}/comm`)?.startsWith('systemd-journal'));

/**
 * Whether the program of a machine that serves nothing runs there, below its process 1. Before, that process is not yet in
 * the machine's own files, and who follows it looks at this computer's.
 */
export const isSettled = (leader: number): boolean =>
  childrenOf(leader).some((pid) => readTextIfStill(`/proc/${pid}/comm`)?.trim() === 'sleep');

/** Machines of this lab that run now. */
export function runningIn(place: Place): Map<Role, Running> {
  const found = new Map<Role, Running>();
  for (const entry of list('/proc').filter((name) => /^\d+$/.test(name))) {
    const machine = machineIn(readTextIfStill(`/proc/${entry}/cmdline`) ?? '');
    const role = machine === undefined ? undefined : roleIn(place, machine);
    if (role === undefined) continue;
    const [leader] = childrenOf(entry);
    // Its helpers have the same command line, and no child.
    if (leader === undefined && found.has(role)) continue;
    found.set(role, { host: Number(entry), leader: leader ? Number(leader) : undefined });
  }
  return found;
}
