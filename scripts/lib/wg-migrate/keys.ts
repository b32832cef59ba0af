import { createHash } from 'node:crypto';
import { newPrivateKey, publicKeyOf } from '../wireguard/key.ts';
import type { TunnelPlan, WholeTopology } from '../wireguard/topology.ts';

export interface KeyPair {
  privateKey: string;
  publicKey: string;
}

/** The two ends of one tunnel; the client has a key of its own for each. */
export interface TunnelEnds {
  client: KeyPair;
  server: KeyPair;
}

function newKeyPair(): KeyPair {
  const privateKey = newPrivateKey();
  return { privateKey, publicKey: publicKeyOf(privateKey) };
}

/** New keys for every tunnel. */
export function freshKeys({ paths, comp }: WholeTopology): (tunnel: TunnelPlan) => TunnelEnds {
  const ends = new Map(
    [...paths, comp].map((tunnel) => [tunnel.interface, { client: newKeyPair(), server: newKeyPair() }]),
  );
  return ({ interface: name }) => ends.get(name) as TunnelEnds;
}

/** A rendering's name: a hash over what must be the same in all machines, public keys and certificate. */
export function renderingId(
  { paths, comp }: WholeTopology,
  keys: (tunnel: TunnelPlan) => TunnelEnds,
  certificate: string,
): string {
  const hash = createHash('sha256').update(certificate);
  for (const tunnel of [...paths, comp]) {
    const { client, server } = keys(tunnel);
    hash.update(`${tunnel.interface} ${client.publicKey} ${server.publicKey}\n`);
  }
  return hash.digest('hex').slice(0, 16);
}
