/** Reads `site/h3.log` of a lab's folder: what its HTTP/3 server saw of each connection. */

export interface H3Connection {
  /** The server's own name for it, which it keeps whatever the client's address is: `0x074c…`. */
  id: string;
  /** The client's addresses that the server has proved to be its own, in the order of their first appearance; without ports. */
  addresses: string[];
  /** Paths that were asked for, with their queries, in order: `/10m`. */
  requests: string[];
}

const LINE = /^(0x[0-9a-f]+) (.+)$/;
// The handshake proves the first address, as its end can only be reached by who gets the server's packets.
const PROVED = [
  /^QUIC handshake has completed remote=\[([^\]]+)\]/,
  /^Path validation against path \{local:\[[^\]]+\]:\d+, remote:\[([^\]]+)\]:\d+\} succeeded$/,
];
const ASKED = /^http: stream \S+ \[:path: (.*)\]$/;

/** All connections whose handshake the log tells of, in the order of their handshakes. A last line may be cut off. */
export function connectionsIn(text: string): H3Connection[] {
  const connections = new Map<string, H3Connection>();
  for (const line of text.split('\n')) {
    const [, id = '', said = ''] = LINE.exec(line) ?? [];
    if (said.startsWith('QUIC handshake')) connections.set(id, { id, addresses: [], requests: [] });
    const connection = connections.get(id);
    if (connection === undefined) continue;
    for (const proved of PROVED) {
      const address = proved.exec(said)?.[1];
      if (address !== undefined && !connection.addresses.includes(address))
        connection.addresses.push(address);
    }
    const asked = ASKED.exec(said)?.[1];
    if (asked !== undefined) connection.requests.push(asked);
  }
  return [...connections.values()];
}
