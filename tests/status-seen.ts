/** A network of two proxies and a comp server that is well, to be spoiled. */
import type { ClientSeen } from '../scripts/lib/status/client.ts';
import type { End } from '../scripts/lib/status/ends.ts';
import { judge, type Seen, type ServerSeen } from '../scripts/lib/status/judge.ts';
import type { Status } from '../scripts/lib/status/status.ts';
import { topologyOf } from '../scripts/lib/wireguard/topology.ts';

export const topology = topologyOf({
  proxies: [
    { name: 'nyc', address: '198.51.100.11' },
    { name: '198.51.100.12', address: '198.51.100.12' },
  ],
  comp: { name: '198.51.100.201', address: '198.51.100.201' },
  port: 51820,
  pathAddress: (k) => `10.45.0.${4 + k}`,
  compAddress: '10.45.0.100',
});
export const tunnels = [...topology.paths, topology.comp];

export const serverKey = (i: number): string => `SERVER${i}=`;
export const clientKey = (i: number): string => `CLIENT${i}=`;
export const endOf = (name: string, publicKey: string, peer: string, age: number | null = 12): End => ({
  interface: name,
  publicKey,
  peers: [
    { publicKey: peer, endpoint: '192.0.2.2:40000', handshakeAge: age, received: 1_200_000, sent: 3400 },
  ],
});
export const server = (i: number, more: Partial<ServerSeen> = {}): ServerSeen => {
  const tunnel = tunnels[i] ?? topology.comp;
  const end = endOf('wg0', serverKey(i), clientKey(i));
  return { name: tunnel.server.name, tunnel, clientKey: clientKey(i), drift: [], end, ...more };
};
export const clientUp = (change: (seen: ClientSeen) => void = () => {}): Seen['client'] => {
  const names = tunnels.map((tunnel) => tunnel.interface);
  const answer: ClientSeen = {
    ends: new Map(names.map((name, i) => [name, endOf(name, clientKey(i), serverKey(i))])),
    links: new Map(names.map((name) => [name, { up: true }])),
    path: 'wgnet2',
    migration: 'time',
    mode: 'wireguard',
  };
  change(answer);
  return { where: 'container wgclient', named: true, answer };
};
const hints = { setUp: 'SETUP', client: 'CLIENT', statusIn: (mode: string) => `STATUS ${mode}` };
export const statusOf = (seen: Partial<Seen> = {}): Status => {
  const files = new Map(
    [...tunnels.map((one) => one.interface), 'setup.sh'].map((name) => [name, { is: 'current' as const }]),
  );
  return judge(
    {
      time: 1_700_000_000,
      mode: 'wireguard',
      servers: [0, 1, 2].map((i) => server(i)),
      client: clientUp(),
      files,
      ...seen,
    },
    hints,
  );
};
