/** Where a capture can stand, and how it is proved to see what is sent there. */
import { randomBytes } from 'node:crypto';
import { attempt } from '../transport/local.ts';
import { linkOf } from './network-plan.ts';
import type { Lab } from './open.ts';
import type { Role } from './roles.ts';

/** An address that nobody has. */
export const NOBODY = '192.0.2.250';

/** The hardware address of what is sent to a bridge only to be seen. */
export const SENTINEL = '02:00:00:00:00:fa';

/**
 * `role`: the router's end of its cable, so all that it sends; for the engine, all that leaves it for its containers.
 * `bridge`, as from `Engine.bridge`: all that the containers on a bridge of the engine send, each packet as it leaves
 * the container. What the engine sends to them does not count; they may be started again meanwhile.
 */
export type Where = { role: Exclude<Role, 'net'> } | { bridge: string };

export interface Spot {
  /** For messages. */
  what: string;
  /** In whose namespace to capture, and on which interface. */
  role: Role;
  device: string;
  /** Makes the kernel of those who send there ask for {@link NOBODY} by ARP. */
  ask(): Promise<void>;
}

const askFrom = async (ip: readonly string[], device: string): Promise<void> => {
  await attempt([...ip, 'neigh', 'del', NOBODY, 'dev', device]);
  await attempt([...ip, 'neigh', 'add', NOBODY, 'dev', device, 'use']);
};

const atCable = (lab: Lab, role: Exclude<Role, 'net'>): Spot => ({
  what: `the cable of ${role}`,
  role: 'net',
  device: role,
  ask: () => askFrom(['ip', '-n', lab.namespaceOf(role)], linkOf(role).device),
});

const atBridge = (lab: Lab, device: string): Spot => ({
  what: `the bridge ${device}`,
  role: 'engine',
  device,
  // By a port of its own: the containers may be down by then, and nothing of theirs is touched.
  ask: async () => {
    const ip = ['ip', '-n', lab.namespaceOf('engine')];
    const [near, far] = ['a', 'b'].map((end) => `ask${randomBytes(3).toString('hex')}${end}`) as [
      string,
      string,
    ];
    const veth = ['link', 'add', near, 'address', SENTINEL, 'type', 'veth', 'peer', 'name', far];
    await attempt([...ip, ...veth]);
    await attempt([...ip, 'link', 'set', far, 'master', device, 'up']);
    await attempt([...ip, 'link', 'set', near, 'up']);
    await askFrom(ip, near);
    await attempt([...ip, 'link', 'del', near]);
  },
});

export const spotOf = (lab: Lab, where: Where): Spot =>
  'role' in where ? atCable(lab, where.role) : atBridge(lab, where.bridge);
