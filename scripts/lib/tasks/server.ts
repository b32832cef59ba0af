import type { Task } from '../runner/task.ts';
import type { HostFacts } from './facts.ts';
import { file } from './file.ts';
import { type InterfaceWish, liveInterface } from './interface.ts';
import { keyPair } from './key-pair.ts';
import { liveNat, NAT_FILE } from './nat.ts';
import { wireguardPackages } from './package.ts';
import { wireguardService } from './service.ts';
import { sysctl } from './sysctl.ts';

export interface ServerWish {
  /** Text of wg0.conf. */
  conf: string;
  /** Text of the NAT rules for the interface that the host's default route leaves by. */
  nat: (egress: string) => string;
  /** What the running interface is to be: the same as the files say, read live. */
  running: InterfaceWish;
  /** Where clients' addresses come from: `10.45.0.0/24`. */
  network: string;
}

/** All of a WireGuard server. Every task reads the live state, so a run that was cut off heals at the next. */
export const serverTasks = ({ conf, nat, running, network }: ServerWish): Task<HostFacts>[] => [
  wireguardPackages(),
  ...sysctl<HostFacts>('net.ipv4.ip_forward', '1'),
  keyPair(),
  file('wg0.nft', { path: NAT_FILE, mode: '600', text: ({ egress }) => nat(egress) }),
  file('wg0.conf', { path: '/etc/wireguard/wg0.conf', mode: '600', text: () => conf }),
  wireguardService(),
  liveInterface(running),
  liveNat(network),
];
