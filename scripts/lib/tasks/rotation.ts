/**
 * New keys at both ends of a tunnel that is in use: the server's half. The client's is `setup.sh rekey`.
 *
 * A WireGuard interface whose private key is set anew cannot send by its sessions any more and lets packets wait (128 at
 * least) for a new handshake; what comes by the old session it still reads. So one end changes its own key, and the other,
 * which goes on sending, takes the peer with the new key in the old one's place as soon as it has heard of it, and makes
 * the session: what was under way arrives, what waited goes out. First the client changes, then the server. An end hears
 * of a peer whose key it knows, by its handshake; for none to come of that too early, while the allowed IPs are still the
 * old peer's, it knows it with a preshared key that nobody has.
 */
import { EXIT, Fault } from '../cli.ts';
import type { Task } from '../runner/task.ts';
import { quote } from '../shell.ts';
import { SERVER_KEY } from './key-pair.ts';

/** The server's next private key, made there as the present one was. */
const NEXT_KEY = `${SERVER_KEY}.next`;
const CONF = '/etc/wireguard/wg0.conf';

/** Seconds that one end waits for the other. */
const PATIENCE = 20;
/** Seconds after a handshake for which its session is good. */
const SESSION = 180;

export const NEXT_KEY_PAIR = 'next key pair';
export const TUNNEL_IN_USE = 'tunnel in use';
export const CHANGE_OF_KEYS = 'new keys';
/** The line of the change that the client must answer: its half is to begin with it. */
export const CLIENTS_TURN = 'change keys with the client';

const isPublicKey = (text: string): boolean => /^[A-Za-z0-9+/]{43}=$/.test(text);

function publicKeyIn(text: string): string {
  const key = text.trim();
  if (isPublicKey(key)) return key;
  throw new Fault({ what: `expected a public key, got ${JSON.stringify(key)}`, code: EXIT.failed });
}

const MAKE_NEXT = `
umask 077
rm -f ${NEXT_KEY} ${NEXT_KEY}.comps-new
wg genkey >${NEXT_KEY}.comps-new
# wg does not notice that nothing could be written.
[ -s ${NEXT_KEY}.comps-new ] || { rm -f ${NEXT_KEY}.comps-new; echo 'cannot write ${NEXT_KEY}: is the disk full?' >&2; exit 1; }
sync ${NEXT_KEY}.comps-new
mv -f ${NEXT_KEY}.comps-new ${NEXT_KEY}
wg pubkey <${NEXT_KEY}`;

/** The server has a key pair to change to; its value is the public half. One that a run left which was cut off is taken. */
export const nextKeyPair = <F>(): Task<F> => ({
  name: NEXT_KEY_PAIR,
  probe: `wg pubkey <${NEXT_KEY} 2>/dev/null || echo none`,
  judge: (seen) =>
    isPublicKey(seen.trim())
      ? { changes: [], value: () => seen.trim() }
      : {
          changes: [{ line: 'make the next key pair', shell: MAKE_NEXT }],
          value: (outputs) => publicKeyIn(outputs.at(-1) ?? ''),
        },
});

/** Prints `yes` where the one peer has a session that is good, else `no`. */
const IN_USE = `wg show wg0 latest-handshakes | awk -v now="$(date +%s)" '{ print now - $2 < ${SESSION} ? "yes" : "no" }'`;

/**
 * A server is as a set-up leaves it, so that a change of keys can begin; it is refused otherwise. Its value tells whether a
 * client has a session there: `yes` or `no`. Changes nothing.
 */
export const tunnelInUse = <F>(client: string, server: string): Task<F> => ({
  name: TUNNEL_IN_USE,
  probe: `
[ -s ${SERVER_KEY} ] && command -v wg >/dev/null && wg show wg0 >/dev/null 2>&1 || exit 0
echo "$(wg show wg0 public-key) $(wg pubkey <${SERVER_KEY})" $(wg show wg0 peers)
${IN_USE}`,
  judge: (seen) => {
    const [is, inUse] = seen.trim().split('\n');
    if (is !== `${server} ${server} ${client}`)
      throw new Fault({
        what: 'this server, or the client’s file of its tunnel, is not as a set-up leaves it: run wgnet-setup.ts without --rotate-keys first',
        code: EXIT.failed,
      });
    return { changes: [], value: () => (inUse === 'yes' ? 'yes' : 'no') };
  },
});

/** All that a change of keys is about; keys are public halves. */
export interface Rotation {
  client: { old: string; next: string };
  server: { old: string; next: string };
  /** What the server lets the client send from: `10.45.0.0/24`. */
  allowedIps: readonly string[];
}

/** What both changes say. */
const words = ({ client, allowedIps }: Rotation): string => `
old=${quote(client.old)}; new=${quote(client.next)}; allowed=${allowedIps.join(',')}
peer_has() { wg show wg0 "$1" | awk -v key="$2" '$1 == key { $1 = ""; print substr($0, 2) }'; }`;

/** All that needs room on the disk is written; then the client's next key is known, and no session can come of it yet. */
const expect = (rotation: Rotation): string => `${words(rotation)}
refuse() {
  rm -f ${CONF}.comps-new
  echo "$1; nothing was changed; next: $2" >&2
  exit 1
}
[ "$(wg pubkey <${NEXT_KEY})" = ${quote(rotation.server.next)} ] || refuse 'the next key pair is not there any more' 'the same command again'
grep -qF "$old" ${CONF} || refuse '${CONF} does not know the client' 'wgnet-setup.ts without --rotate-keys'
umask 077
{ sed "s|$old|$new|" ${CONF} >${CONF}.comps-new && grep -qF "$new" ${CONF}.comps-new && sync ${CONF}.comps-new; } 2>/dev/null ||
  refuse 'cannot write ${CONF}: is the disk full?' 'make room there, then the same command again'
wg genpsk | wg set wg0 peer "$new" remove peer "$new" preshared-key /dev/stdin`;

const change = (rotation: Rotation): string => `${words(rotation)}
# What is begun is ended, or undone, also where the connection is lost.
trap '' HUP INT TERM PIPE
within() {
  last=$(($(date +%s) + $1)); shift
  until "$@"; do
    [ "$(date +%s)" -lt $last ] || return 1
    sleep 0.01
  done
}
heard() { bytes=$(peer_has transfer "$new" | awk '{ print $1 }'); [ "\${bytes:-0}" -gt 0 ]; }
shaken_since() { at=$(peer_has latest-handshakes "$new"); [ "\${at:-0}" -gt "$1" ]; }
later_than() { [ "$(date +%s)" -gt "$1" ]; }
give_up() {
  rm -f ${CONF}.comps-new
  wg set wg0 private-key ${SERVER_KEY} peer "$new" remove peer "$old" allowed-ips "$allowed" || true
  echo "$1, so the old keys are back" >&2
  exit 1
}
within ${PATIENCE} heard || give_up 'the client did not come with its new key within ${PATIENCE} s'
wg set wg0 peer "$new" remove \\
  peer "$new" endpoint "$(wg show wg0 endpoints | awk -v key="$new" '$1 == key { print $2 }')" allowed-ips "$allowed" persistent-keepalive 1 ||
  give_up 'wg did not take the new key of the client'
within ${PATIENCE} shaken_since 0 || give_up 'the client made no session with its new key within ${PATIENCE} s'
# Handshakes are told by the second, and the next one must not have the same.
first=$(peer_has latest-handshakes "$new")
within 3 later_than "$first" || true
wg set wg0 private-key ${NEXT_KEY} peer "$new" persistent-keepalive off peer "$new" persistent-keepalive 1 ||
  give_up 'wg did not take the new key of the server'
within ${PATIENCE} shaken_since "$first" || give_up 'the client did not take the new key of the server within ${PATIENCE} s'
# The key last: by it the change counts as done.
{ mv -f ${CONF}.comps-new ${CONF} && mv -f ${NEXT_KEY} ${SERVER_KEY}; } || give_up 'the new files could not be put in their places'
wg set wg0 peer "$old" remove peer "$new" persistent-keepalive off || true`;

/** Both ends have their next keys. The client must begin its half with the change {@link CLIENTS_TURN}. */
export const changeOfKeys = <F>(rotation: Rotation): Task<F> => ({
  name: CHANGE_OF_KEYS,
  probe: `echo "$(wg show wg0 public-key) $(wg pubkey <${SERVER_KEY})" $(wg show wg0 peers)`,
  judge: (seen) => {
    const { server, client } = rotation;
    const is = seen.trim();
    if (is === `${server.next} ${server.next} ${client.next}`) return { changes: [] };
    // A run that was cut off may have made the client's next key known already: no session comes of that.
    const before = [client.old, `${client.old} ${client.next}`, `${client.next} ${client.old}`];
    if (
      client.old === client.next ||
      server.old === server.next ||
      !before.some((peers) => is === `${server.old} ${server.old} ${peers}`)
    )
      throw new Fault({
        what: 'this server was changed by another run meanwhile, and nothing was done there; next: wgnet-setup.ts without --rotate-keys',
        code: EXIT.failed,
      });
    return {
      changes: [
        { line: 'expect the client’s next key', shell: expect(rotation) },
        { line: CLIENTS_TURN, shell: change(rotation) },
      ],
    };
  },
});

/** The server has its next key at once, whoever is cut off by that. */
export const keyAtOnce = <F>(serverKey: string): Task<F> => ({
  name: CHANGE_OF_KEYS,
  probe: `wg pubkey <${SERVER_KEY}`,
  judge: (seen) =>
    seen.trim() === serverKey
      ? { changes: [] }
      : {
          changes: [
            {
              line: 'take the next key pair',
              shell: `mv -f ${NEXT_KEY} ${SERVER_KEY}\nwg set wg0 private-key ${SERVER_KEY}`,
            },
          ],
        },
});

export const HALF_DONE = 'half-done change of keys';

/**
 * How far a change of keys came that was cut off: its value is `done` where the server has changed for good, else `undone`.
 * What an undone one has left there is removed.
 */
export const halfDone = <F>(nextClientKey: string, nextServerKey: string): Task<F> => ({
  name: HALF_DONE,
  probe: `
if command -v wg >/dev/null && [ -s ${SERVER_KEY} ]; then wg pubkey <${SERVER_KEY} || echo none; else echo none; fi
echo "peer $(sed -n 's/^PublicKey = //p' ${CONF} 2>/dev/null)"
for left in ${NEXT_KEY} ${CONF}.comps-new; do [ ! -e "$left" ] || echo left; done`,
  judge: (seen) => {
    const [key, peer, ...left] = seen.trim().split('\n');
    if (key === nextServerKey && peer === `peer ${nextClientKey}`)
      return { changes: [], value: () => 'done' };
    const line = 'remove what a change of keys had left that was undone';
    const shell = `rm -f ${NEXT_KEY} ${CONF}.comps-new`;
    return { changes: left.length === 0 ? [] : [{ line, shell }], value: () => 'undone' };
  },
});
