/** Facts of this machine and its tools, for the record. */
import { createRequire } from 'node:module';
import { arch, cpus, release, totalmem } from 'node:os';
import { readText } from '../files.ts';
import { ask } from '../process.ts';
import type { Session } from '../trace/layout.ts';
import type { Versions } from '../trace/record.ts';

const version = (manifest: string): string => (JSON.parse(manifest) as { version: string }).version;

/** Versions of what collects; throws a Fault, with the command that installs it, where a tool is missing. */
export function versions(): Versions {
  const own = readText(new URL('../../package.json', import.meta.url).pathname);
  const playwright = createRequire(import.meta.url).resolve('playwright-core/package.json');
  const tcpdump = ask(['tcpdump', '--version'], 'apt-get install tcpdump');
  const chromium = ask([process.env.COMPS_CHROMIUM || 'chromium', '--version'], 'apt-get install chromium');
  return {
    comps: version(own),
    node: process.version.slice(1),
    chromium: /[\d.]{5,}/.exec(chromium)?.[0] ?? chromium.trim(),
    playwright: version(readText(playwright)),
    tcpdump: /version (\S+)/.exec(tcpdump)?.[1] ?? '',
  };
}

/** Throws a Fault where there is no nft, by which the kernel splits. */
export function requireNft(): void {
  ask(['nft', '--version'], 'apt-get install nftables');
}

export function hostFacts(): Session['host'] {
  const all = cpus();
  return {
    kernel: release(),
    architecture: arch(),
    cpus: all.length,
    cpu: all[0]?.model ?? '',
    memory: totalmem(),
  };
}
