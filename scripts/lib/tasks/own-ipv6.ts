import { EXIT, Fault } from '../cli.ts';
import type { Task } from '../runner/task.ts';
import type { HostFacts } from './facts.ts';

const NEXT =
  'give it IPv6 (a droplet: in its settings at DigitalOcean; a new one: `ipv6: true` in its entry of comps), or set wireguard_ipv6: false in config.cfg';

/** A server that is to carry IPv6 has it itself; refused before anything is changed there. */
export const ownIpv6 = (): Task<HostFacts> => ({
  name: 'IPv6',
  tags: ['forwarding'],
  probe: 'true',
  judge: (_, { egress6 }) => {
    if (egress6 !== undefined) return { changes: [] };
    throw new Fault({
      what: `wireguard_ipv6 is true in config.cfg, and this host has no IPv6 of its own: no default route with a global address\nnext: ${NEXT}`,
      code: EXIT.failed,
    });
  },
});
