import { fromTemplate } from '../template.ts';
import { asPrefix, type TunnelPlan } from './topology.ts';

/** What stands in a server's files beside its tunnel. */
export interface ServerSettings {
  /** The server's own address inside the tunnel, with prefix length: `10.45.0.2/32`. */
  gateway: string;
  /** Where clients' addresses come from: `10.45.0.0/24`. */
  network: string;
  /** The same for IPv6 (`fd00:10:45::2/128`, `fd00:10:45::/64`), where this server carries it. */
  ipv6?: { gateway: string; network: string } | undefined;
}

/** `proxy` or `comp server`, for a person. */
export const roleOf = (tunnel: TunnelPlan): string => (tunnel.interface === 'wg0' ? 'comp server' : 'proxy');

/** A kernel parameter by its path below /proc/sys: `net/ipv4/ip_forward`. */
type Setting = readonly [path: string, value: string];

/**
 * The server's wg0.conf; it holds no secret. `forwards`: what its kernel is told as wg0 comes up, which at boot is after all
 * files of sysctl, whatever a later one among them says.
 */
export const serverConf = (
  tunnel: TunnelPlan,
  { gateway, ipv6 }: ServerSettings,
  clientPublicKey: string,
  forwards: readonly Setting[] = [],
): string =>
  fromTemplate('server-wg0.conf', {
    role: roleOf(tunnel),
    name: tunnel.server.name,
    gateways: [gateway, ...(ipv6 ? [ipv6.gateway] : [])].join(', '),
    ipv6: ipv6 !== undefined,
    port: tunnel.port,
    mtu: tunnel.mtu,
    clientInterface: tunnel.interface,
    clientPublicKey,
    forwards: forwards.map(([path, value]) => ({ path, value })),
    allowedIps: tunnel.allowedIps.map(asPrefix).join(', '),
  });

/** The server's NAT rules for nft. `egress`: the interface of its default route; `egress6`: that of its IPv6 one. */
export const serverNat = ({ network, ipv6 }: ServerSettings, egress: string, egress6 = egress): string =>
  fromTemplate('server-wg0.nft', {
    network,
    egress,
    ipv6: ipv6 !== undefined,
    network6: ipv6?.network ?? '',
    egress6,
  });
