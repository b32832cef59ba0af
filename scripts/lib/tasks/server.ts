import type { Task } from '../runner/task.ts';
import type { HostFacts } from './facts.ts';
import { file } from './file.ts';
import { type InterfaceWish, liveInterface } from './interface.ts';
import { keyPair } from './key-pair.ts';
import { liveNat, NAT_FILE, type NatWish } from './nat.ts';
import { ownIpv6 } from './own-ipv6.ts';
import { wireguardPackages } from './package.ts';
import { wireguardService } from './service.ts';
import { surroundings } from './surroundings.ts';
import { forwarding, type Setting, settingsFor } from './sysctl.ts';
import { explained } from './trouble.ts';

export interface ServerWish {
  /** Text of wg0.conf, with what the kernel is to be told as wg0 comes up. */
  conf: (forwards: readonly Setting[]) => string;
  /** Text of the NAT rules for the interfaces that the host's default routes leave by. */
  nat: (egress: string, egress6?: string) => string;
  /** What the running interface is to be: the same as the files say, read live. */
  running: InterfaceWish;
  /** Whose packets it forwards as its own. */
  from: NatWish;
}

/** All of a WireGuard server. Every task reads the live state, so a run that was cut off heals at the next. */
export function serverTasks({ conf, nat, running, from }: ServerWish): Task<HostFacts>[] {
  const ipv6 = from.network6 !== undefined;
  const tasks: Task<HostFacts>[] = [
    surroundings(running.port),
    ...(ipv6 ? [ownIpv6()] : []),
    wireguardPackages(),
    ...forwarding(ipv6),
    keyPair(),
    file('wg0.nft', {
      tags: ['files', 'nat'],
      path: NAT_FILE,
      mode: '600',
      text: ({ egress, egress6 }) => nat(egress, egress6),
    }),
    file('wg0.conf', {
      tags: ['files', 'interface'],
      path: '/etc/wireguard/wg0.conf',
      mode: '600',
      text: (facts) => conf(settingsFor(ipv6, facts)),
    }),
    wireguardService(),
    liveInterface(running),
    liveNat(from),
  ];
  return tasks.map(explained);
}
