/** What the program in the virtual machine is made of: commands, waiting, results. It runs in the client's namespace. */
import { execFile } from 'node:child_process';
import { readFileSync, writeSync } from 'node:fs';
import type { Counts, Result } from './results.ts';

export const SITE = '203.0.113.80';
export const RESOLVER = '203.0.113.53';
export const PROXIES = ['198.51.100.11', '198.51.100.12', '198.51.100.13'];
export const PATHS = ['wgnet1', 'wgnet2', 'wgnet3'];
export const SETUP = '/etc/wireguard/setup.sh';

/** Milliseconds for whatever is waited for: only reached where something is broken. */
const PATIENCE = 200_000;

/** Out by the port of results; whole at once. */
export const tell = (result: Result): void => {
  writeSync(1, `${JSON.stringify(result)}\n`);
};

export interface Said {
  code: number;
  out: string;
  err: string;
}

/** A line for bash, whatever it ends with. */
export const trySh = (line: string): Promise<Said> =>
  new Promise((resolve) => {
    execFile('bash', ['-c', line], { maxBuffer: 2 ** 26 }, (error, out, err) => {
      const code = error === null ? 0 : typeof error.code === 'number' ? error.code : 128;
      resolve({ code, out: out.trim(), err: err.trim() });
    });
  });

/** A line for bash that must end well; its output. */
export async function sh(line: string): Promise<string> {
  const { code, out, err } = await trySh(line);
  if (code !== 0) throw new Error(`${line}\nended with ${code}: ${err || out}`);
  return out;
}

export const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

export async function until(what: string, ask: () => boolean | Promise<boolean>): Promise<void> {
  for (const end = performance.now() + PATIENCE; !(await ask()); await pause(20))
    if (performance.now() > end) throw new Error(`waited in vain for ${what}`);
}

/** A file that others write; empty where it is not there yet. */
export function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

/** Whom the site sees, by a page through wg0. */
export const page = (): Promise<string> => sh(`curl -sS -m 60 http://${SITE}/`);

/** Packets that each path has sent. */
export async function sentBy(): Promise<Counts> {
  const links: { ifname: string; stats64: { tx: { packets: number } } }[] = JSON.parse(
    await sh('ip -s -j link show'),
  );
  return Object.fromEntries(
    links
      .filter(({ ifname }) => PATHS.includes(ifname))
      .map(({ ifname, stats64 }) => [ifname, stats64.tx.packets]),
  );
}

export const minus = (after: Counts, before: Counts): Counts =>
  Object.fromEntries(Object.entries(after).map(([name, count]) => [name, count - (before[name] ?? 0)]));

/** Packets, however slow the computer below is. */
const LEAST = 1500;

/** A UDP echo of packets of so many bytes, as many as fit into this time and leave the processor to those who switch. */
export async function load(
  bytes: number,
  seconds: number,
): Promise<{ sent: number; back: number; late: number; refused: number }> {
  return JSON.parse(await sh(`nice -n 5 perl load.pl ${SITE} ${bytes} 16 ${seconds} ${LEAST}`));
}
