/** One end of a tunnel as `wg` has it there; the same shell reads it on servers and in the client. */

/** What the other end has shown of itself. */
export interface Peer {
  publicKey: string;
  /** `192.0.2.7:51820`; null where nothing ever came from it, or where it is unknown. */
  endpoint: string | null;
  /** Seconds since the last handshake, by that machine's own clock; null where there was none. */
  handshakeAge: number | null;
  /** Bytes. */
  received: number;
  sent: number;
}

/** A WireGuard interface. */
export interface End {
  interface: string;
  publicKey: string | null;
  peers: Peer[];
}

/**
 * Prints an interface or a peer a line. The dump has private and preshared keys as well: they are left out there, before
 * anything leaves the machine. Ages are taken there too, so that no clock is held against another's.
 */
export const ENDS = `
wg show all dump | awk -F '\\t' -v now="$(date +%s)" '
  NF == 5 { print "interface", $1, $3 }
  NF == 9 { print "peer", $1, $2, $4, ($6 == 0 ? "never" : now - $6), $7, $8 }'`;

/** `(none)` is wg's word for what there is not. */
const some = (word: string): string | null => (word === '' || word === '(none)' ? null : word);

/** Reads what {@link ENDS} printed, by interface; lines of others are passed over. */
export function endsIn(seen: string): Map<string, End> {
  const ends = new Map<string, End>();
  for (const [word, name = '', key = '', endpoint = '', age = '', received, sent] of seen
    .split('\n')
    .map((line) => line.split(' '))) {
    if (word === 'interface') ends.set(name, { interface: name, publicKey: some(key), peers: [] });
    if (word === 'peer')
      ends.get(name)?.peers.push({
        publicKey: key,
        endpoint: some(endpoint),
        // A clock that was set back since makes it negative.
        handshakeAge: age === 'never' ? null : Math.max(0, Number(age)),
        received: Number(received),
        sent: Number(sent),
      });
  }
  return ends;
}
