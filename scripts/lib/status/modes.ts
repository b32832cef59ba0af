/**
 * A client, or its files, in another mode than the network: one finding, in the place of all that follows from it. Or one
 * that does with TCP what the network's files do not say any more. Pure.
 */
import { answerOf, type Hints, isOtherMode, type Seen } from './seen.ts';
import type { Trouble } from './status.ts';

const TCP = { none: 'refuses TCP', sticky: 'keeps each TCP connection on its path' } as const;

function tcpTroubles(seen: Seen, next: string): Trouble[] {
  const now = answerOf(seen);
  if (now?.mode !== 'quic' || seen.tcp === undefined || now.tcp === undefined || now.tcp === seen.tcp)
    return [];
  const what = `the client ${TCP[now.tcp]}, and the network has allow_tcp: ${seen.tcp}`;
  return [{ kind: 'mode', tunnel: null, what, next }];
}

export function modeTroubles(seen: Seen, hints: Hints): Trouble[] {
  const { mode, filesMode, files } = seen;
  const now = answerOf(seen)?.mode ?? undefined;
  const clientToo = now !== undefined && now !== mode;
  const change = `${hints.setUp}, then ${hints.client}`;
  const finding = (who: string, other: string | undefined, next: string): Trouble[] => [
    {
      kind: 'mode',
      tunnel: null,
      what: `${who} in mode ${other}, and the network is in mode ${mode}`,
      next,
    },
  ];
  if (!isOtherMode(seen) || filesMode === undefined) {
    const next = files.get('setup.sh')?.is === 'current' ? hints.client : change;
    return clientToo ? finding('the client is', now, next) : tcpTroubles(seen, next);
  }
  // A client that is in the network's mode already leaves no doubt about which of the two is meant.
  const next =
    now === mode ? change : `${hints.statusIn(filesMode)}; or, to change the client’s mode: ${change}`;
  return finding(clientToo ? 'the client and its files are' : 'the client’s files are', filesMode, next);
}
