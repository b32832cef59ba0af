/** One client's files in several folders, so that a test can change its mode without a set-up. */
import { cpSync, existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Lab } from '../../scripts/lib/lab/lab.ts';
import { clientFiles } from '../../scripts/lib/wireguard/client-files.ts';
import { topologyOf } from '../../scripts/lib/wireguard/topology.ts';
import { goodSetup } from './fixture.ts';

/** Mode quic, its TCP refused; mode wireguard; quic with sticky TCP; that without the last path. */
export const QUIC = '/etc/wireguard/setup.sh';
export const WIREGUARD = '/etc/wireguard/w/setup.sh';
export const STICKY = '/etc/wireguard/s/setup.sh';
export const FEWER = '/etc/wireguard/f/setup.sh';

/** setup.sh of this lab's network with sticky TCP, over its first so many proxies. */
function stickySetup(lab: Lab, count: number): string {
  const proxies = (['vpn1', 'vpn2', 'vpn3'] as const)
    .slice(0, count)
    .map((name) => ({ name, address: lab.addressOf(name) }));
  const network = { proxies, port: 51820, pathAddress: () => '10.45.0.5', compAddress: '10.45.0.100' };
  const none = { privateKey: '', serverPublicKey: '' };
  const settings = { dns: '203.0.113.53', published: [], allowTcp: 'sticky' } as const;
  return clientFiles(topologyOf(network), () => none, settings).at(-1)?.text ?? '';
}

/** The client's files of now, once more in a folder beside them. */
function keep(lab: Lab, folder: string): void {
  for (const name of ['setup.sh', 'wg0.conf', 'wgnet1.conf', 'wgnet2.conf', 'wgnet3.conf']) {
    const from = join(lab.clientDirectory, name);
    if (existsSync(from)) cpSync(from, join(lab.clientDirectory, folder, name));
  }
}

/** Sets the servers up, and writes all four. */
export async function writeAllModes(lab: Lab): Promise<void> {
  await goodSetup(lab);
  keep(lab, 'w');
  await goodSetup(lab, '--mode', 'quic');
  for (const [folder, count] of [
    ['s', 3],
    ['f', 2],
  ] as const) {
    keep(lab, folder);
    writeFileSync(join(lab.clientDirectory, folder, 'setup.sh'), stickySetup(lab, count), { mode: 0o700 });
  }
}
