/** What the readings of servers, client and files mean together. Pure. */
import { EXIT } from '../cli.ts';
import { endpointText } from '../wireguard/topology.ts';
import type { End, Peer } from './ends.ts';
import { modeTroubles } from './modes.ts';
import { answerOf, type Hints, isOtherMode, type Seen, type ServerSeen } from './seen.ts';
import type { EndStatus, Status, Trouble, TunnelStatus } from './status.ts';

export type { FileSeen, Hints, Seen, ServerSeen } from './seen.ts';

/** Seconds after which WireGuard itself forgets a session; with the client's keepalive there is a new one long before. */
export const FRESH = 180;

const NOTHING: EndStatus = {
  up: null,
  publicKey: null,
  peer: null,
  handshakeAge: null,
  sent: null,
  received: null,
};

/** The peer of an end that is the other end: by its key, else the only one. */
const otherIn = (end: End | null | undefined, key: string | null): Peer | undefined =>
  end?.peers.find(({ publicKey }) => publicKey === key) ??
  (end?.peers.length === 1 ? end.peers[0] : undefined);

const endStatus = (up: boolean, end: End | null | undefined, peer: Peer | undefined): EndStatus => ({
  up,
  publicKey: end?.publicKey ?? null,
  peer: peer?.endpoint ?? null,
  handshakeAge: peer?.handshakeAge ?? null,
  sent: peer?.sent ?? null,
  received: peer?.received ?? null,
});

/** Whether each end knows the other's key; null where one of the two cannot be asked. */
function match(server: End | null | undefined, client: End | undefined): boolean | null {
  if (!server || client === undefined) return null;
  const knows = (end: End, key: string | null): boolean =>
    end.peers.some(({ publicKey }) => publicKey === key);
  return knows(server, client.publicKey) && knows(client, server.publicKey);
}

const short = (key: string | null | undefined): string => (key ? `${key.slice(0, 8)}…` : 'none');
const shortAll = (end: End): string =>
  end.peers.map(({ publicKey }) => short(publicKey)).join(', ') || 'none';

/** Undefined where it is the server's drift alone, which is told already. */
function keyTrouble(
  { drift, clientKey }: ServerSeen,
  server: End,
  client: End,
  files: TunnelStatus['files'],
  hints: Hints,
): Omit<Trouble, 'tunnel'> | undefined {
  const known = server.peers.some(({ publicKey }) => publicKey === client.publicKey);
  if (!known && client.publicKey === clientKey && drift?.length) return undefined;
  const what = known
    ? `the client takes its server for ${shortAll(client)}, and that one’s key is ${short(server.publicKey)}`
    : `the server knows the client as ${shortAll(server)}, and the client’s key is ${short(client.publicKey)}`;
  // Files that are right are only to be taken.
  const next = files === 'current' ? hints.client : `${hints.setUp}, then ${hints.client}`;
  return { kind: 'keys', what, next };
}

function tunnelOf(server: ServerSeen, seen: Seen): TunnelStatus {
  const { tunnel, unreachable, failed, end, drift } = server;
  const client = answerOf(seen);
  const own = client?.ends.get(tunnel.interface);
  const peer = otherIn(end, own?.publicKey ?? null);
  const far = otherIn(own, end?.publicKey ?? null);
  const link = client?.links.get(tunnel.interface);
  return {
    interface: tunnel.interface,
    role: tunnel.interface === 'wg0' ? 'comp server' : 'proxy',
    server: {
      name: server.name,
      endpoint: endpointText(tunnel.server.address, tunnel.port),
      reachable: unreachable === undefined,
      reason: (unreachable ?? failed)?.message ?? null,
      ...(end === undefined ? NOTHING : endStatus(end !== null, end, peer)),
    },
    client: client === undefined ? NOTHING : endStatus(link?.up === true, own, far),
    // The client's word counts: a server does not know that its answers are in vain.
    handshakeAge: (own === undefined ? peer : far)?.handshakeAge ?? null,
    current: client === undefined || tunnel.interface === 'wg0' ? null : client.path === tunnel.interface,
    drift: { count: drift?.length ?? null, lines: [...(drift ?? [])] },
    keysMatch: match(end, own),
    files: seen.files.get(tunnel.interface)?.is ?? null,
    well: true,
  };
}

/** What is not as it should be with one tunnel, the causes first. */
function troublesOf(server: ServerSeen, status: TunnelStatus, seen: Seen, hints: Hints): Trouble[] {
  const { tunnel, unreachable, failed, end, drift } = server;
  const client = answerOf(seen);
  const own = client?.ends.get(tunnel.interface);
  const found: Omit<Trouble, 'tunnel'>[] = [];
  const lost = unreachable ?? failed;
  if (lost !== undefined)
    found.push({ kind: unreachable ? 'unreachable' : 'failed', what: lost.message, next: lost.next ?? null });
  // What is said of drift, keys and files is of no use then: which of the keys are to be, a set-up asks the server.
  if (server.begun)
    found.push({
      kind: 'keys',
      what: 'a change of keys was cut off (unless a run is at it right now)',
      next: hints.setUp,
    });
  else for (const what of drift ?? []) found.push({ kind: 'drift', what, next: hints.setUp });
  const file = isOtherMode(seen) ? undefined : seen.files.get(tunnel.interface);
  const name = `${tunnel.interface}.conf`;
  if (file?.is === 'missing')
    found.push({ kind: 'files', what: `the client’s ${name} is not there`, next: hints.setUp });
  if (file?.is === 'older' && !server.begun)
    found.push({
      kind: 'files',
      what: `the client’s ${name} is not as wgnet-setup.ts would write it now: ${file.what}`,
      next: `${hints.setUp}, then ${hints.client}`,
    });
  const there = client?.links.has(tunnel.interface);
  // A client in mode quic has none, which is told once.
  const isOtherWg0 = tunnel.interface === 'wg0' && client?.mode === 'quic' && !there;
  if (client !== undefined && status.client.up === false && !isOtherWg0) {
    const what = there ? 'is down in the client' : 'is not there in the client';
    found.push({ kind: 'missing', what: `${tunnel.interface} ${what}`, next: hints.client });
  } else if (status.keysMatch === false && end && own && !server.begun) {
    const trouble = keyTrouble(server, end, own, status.files, hints);
    if (trouble !== undefined) found.push(trouble);
  } else if (status.client.up && (status.handshakeAge ?? Number.POSITIVE_INFINITY) > FRESH) {
    const since = status.handshakeAge === null ? 'there never was a handshake' : 'its last handshake is old';
    const next = lost === undefined ? `is UDP ${status.server.endpoint} open on the way there?` : null;
    found.push({ kind: 'stale', what: `${since}: the server does not answer the client`, next });
  }
  return found.map((one) => ({ ...one, tunnel: tunnel.interface }));
}

/** What is of no single tunnel. */
function otherTroubles(seen: Seen, hints: Hints): Trouble[] {
  const found: Trouble[] = [];
  const { client, files } = seen;
  if (client?.named && client.answer instanceof Error) {
    const { message: what, next = null } = client.answer;
    found.push({ kind: 'no client', tunnel: null, what, next });
  }
  const answer = answerOf(seen);
  if (answer !== undefined && answer.links.size > 0 && answer.path === null)
    found.push({
      kind: 'no path',
      tunnel: null,
      what: 'the client’s table 51821 leads into no wgnet: nothing gets out',
      next: hints.client,
    });
  found.push(...modeTroubles(seen, hints));
  const setUp = isOtherMode(seen) ? undefined : files.get('setup.sh');
  if (setUp?.is === 'missing')
    found.push({
      kind: 'files',
      tunnel: null,
      what: 'the client’s setup.sh is not there',
      next: hints.setUp,
    });
  if (setUp?.is === 'older')
    found.push({
      kind: 'files',
      tunnel: null,
      what: 'the client’s setup.sh is not as wgnet-setup.ts would write it now',
      next: `${hints.setUp}, then ${hints.client}`,
    });
  return found;
}

/** 4 where somebody could not be asked, 2 where something else is wrong, 0 else. */
function exitCodeOf(troubles: readonly Trouble[]): number {
  if (troubles.some(({ kind }) => kind === 'unreachable' || kind === 'no client')) return EXIT.unreachable;
  return troubles.length === 0 ? EXIT.ok : EXIT.failed;
}

/** All of it, judged. */
export function judge(seen: Seen, hints: Hints): Status {
  const judged = seen.servers.map((server) => {
    const status = tunnelOf(server, seen);
    const troubles = troublesOf(server, status, seen, hints);
    return { status: { ...status, well: troubles.length === 0 }, troubles };
  });
  const troubles = [...judged.flatMap((one) => one.troubles), ...otherTroubles(seen, hints)];
  const { client } = seen;
  const answer = answerOf(seen);
  return {
    time: seen.time,
    mode: seen.mode,
    well: troubles.length === 0,
    exitCode: exitCodeOf(troubles),
    client: {
      where: client?.where ?? null,
      answers: client === undefined ? null : answer !== undefined,
      reason: client?.answer instanceof Error ? client.answer.message : null,
      mode: answer?.mode ?? null,
      path: answer?.path ?? null,
      migration: answer?.migration ?? null,
    },
    tunnels: judged.map(({ status }) => status),
    troubles,
    notices: seen.servers.flatMap(({ name, notices = [] }) =>
      notices.map((what) => ({ server: name, what })),
    ),
  };
}
