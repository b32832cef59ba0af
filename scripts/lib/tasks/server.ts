import type { Task } from '../runner/task.ts';
import type { HostFacts } from './facts.ts';
import { file } from './file.ts';
import { type InterfaceWish, liveInterface } from './interface.ts';
import { keyPair } from './key-pair.ts';
import { liveNat, NAT_FILE, type NatWish } from './nat.ts';
import { ownIpv6 } from './own-ipv6.ts';
import { wireguardPackages } from './package.ts';
import { wireguardService } from './service.ts';
import { forwarding } from './sysctl.ts';

export interface ServerWish {
  /** Text of wg0.conf. */
  conf: string;
  /** Text of the NAT rules for the interfaces that the host's default routes leave by. */
  nat: (egress: string, egress6?: string) => string;
  /** What the running interface is to be: the same as the files say, read live. */
  running: InterfaceWish;
  /** Whose packets it forwards as its own. */
  from: NatWish;
}

/** All of a WireGuard server. Every task reads the live state, so a run that was cut off heals at the next. */
export const serverTasks = ({ conf, nat, running, from }: ServerWish): Task<HostFacts>[] => [
  ...(from.network6 === undefined ? [] : [ownIpv6()]),
  wireguardPackages(),
  ...forwarding(from.network6 !== undefined),
  keyPair(),
  file('wg0.nft', { path: NAT_FILE, mode: '600', text: ({ egress, egress6 }) => nat(egress, egress6) }),
  file('wg0.conf', { path: '/etc/wireguard/wg0.conf', mode: '600', text: () => conf }),
  wireguardService(),
  liveInterface(running),
  liveNat(from),
];
