import { fromTemplate } from '../template.ts';
import type { TunnelPlan } from './topology.ts';

/** What stands in a server's files beside its tunnel. */
export interface ServerSettings {
  /** The server's own address inside the tunnel, with prefix length: `10.45.0.2/32`. */
  gateway: string;
  /** Where clients' addresses come from: `10.45.0.0/24`. */
  network: string;
}

/** `proxy` or `comp server`, for a person. */
export const roleOf = (tunnel: TunnelPlan): string => (tunnel.interface === 'wg0' ? 'comp server' : 'proxy');

/** The server's wg0.conf; it holds no secret. */
export const serverConf = (
  tunnel: TunnelPlan,
  { gateway }: ServerSettings,
  clientPublicKey: string,
): string =>
  fromTemplate('server-wg0.conf', {
    role: roleOf(tunnel),
    name: tunnel.server.name,
    gateway,
    port: tunnel.port,
    mtu: tunnel.mtu,
    clientInterface: tunnel.interface,
    clientPublicKey,
    allowedIps: tunnel.allowedIps.map((address) => `${address}/32`).join(', '),
  });

/** The server's NAT rules for nft. `egress`: the interface of its default route. */
export const serverNat = ({ network }: ServerSettings, egress: string): string =>
  fromTemplate('server-wg0.nft', { network, egress });
