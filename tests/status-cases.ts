/** What may be wrong with the network, and what is to be said of it. */
import { Fault } from '../scripts/lib/cli.ts';
import type { ClientSeen } from '../scripts/lib/status/client.ts';
import type { End } from '../scripts/lib/status/ends.ts';
import type { Seen } from '../scripts/lib/status/judge.ts';
import { clientKey, clientUp, endOf, server, serverKey } from './status-seen.ts';

const change = (name: string, end: End | undefined) => (seen: ClientSeen) =>
  void (end === undefined ? seen.ends.delete(name) : seen.ends.set(name, end));

/** What was seen, what is said of it, the exit code, and a remedy. */
export const judged: [string, Partial<Seen>, string[], number, (string | null)?][] = [
  [
    'drift',
    { servers: [server(0, { drift: ['a: b', 'c: d'] })] },
    ['wgnet1: drift', 'wgnet1: drift'],
    2,
    'SETUP',
  ],
  [
    'a change of keys that was cut off: not what would be changed for it',
    { servers: [server(0, { begun: true, drift: ['remove peer A', 'add peer B'] })] },
    ['wgnet1: keys'],
    2,
    'SETUP',
  ],
  [
    'unreachable, beside drift',
    {
      servers: [
        server(0, { drift: undefined, end: undefined, unreachable: new Fault({ what: 'gone', code: 4 }) }),
        server(1, { drift: ['a: b'] }),
      ],
    },
    ['wgnet1: unreachable', 'wgnet2: drift'],
    4,
    null,
  ],
  [
    'its state cannot be read, though its tunnel can',
    { servers: [server(0, { drift: undefined, failed: new Fault({ what: 'no root', next: 'N' }) })] },
    ['wgnet1: failed'],
    2,
    'N',
  ],
  [
    'never a handshake',
    {
      servers: [server(0, { end: endOf('wg0', serverKey(0), clientKey(0), null) })],
      client: clientUp(change('wgnet1', endOf('wgnet1', clientKey(0), serverKey(0), null))),
    },
    ['wgnet1: stale'],
    2,
  ],
  [
    'never a handshake for the client, though the server has answered one',
    {
      servers: [server(0)],
      client: clientUp(change('wgnet1', endOf('wgnet1', clientKey(0), serverKey(0), null))),
    },
    ['wgnet1: stale'],
    2,
  ],
  [
    'a handshake of 181 s ago, seen from the client',
    {
      servers: [server(0)],
      client: clientUp(change('wgnet1', endOf('wgnet1', clientKey(0), serverKey(0), 181))),
    },
    ['wgnet1: stale'],
    2,
  ],
  [
    'an old one where the client is left out',
    { servers: [server(0, { end: endOf('wg0', serverKey(0), clientKey(0), 9999) })], client: undefined },
    [],
    0,
  ],
  [
    'an interface that is down in the client',
    { servers: [server(0)], client: clientUp((seen) => void seen.links.set('wgnet1', { up: false })) },
    ['wgnet1: missing'],
    2,
    'CLIENT',
  ],
  [
    'no interface at all in the client',
    {
      servers: [server(0)],
      client: clientUp((seen) => {
        seen.links.clear();
        seen.ends.clear();
        seen.path = null;
      }),
    },
    ['wgnet1: missing'],
    2,
    'CLIENT',
  ],
  [
    'no route for wg0',
    {
      client: clientUp((seen) => {
        seen.path = null;
      }),
    },
    ['null: no path'],
    2,
    'CLIENT',
  ],
  [
    'the client runs with an older key than its files have',
    {
      servers: [server(0, { drift: [] })],
      client: clientUp(change('wgnet1', endOf('wgnet1', 'OLD=', serverKey(0)))),
    },
    ['wgnet1: keys'],
    2,
    'CLIENT',
  ],
  [
    'the client takes the server for another',
    {
      servers: [server(0)],
      client: clientUp(change('wgnet1', endOf('wgnet1', clientKey(0), 'OTHER='))),
      files: new Map(),
    },
    ['wgnet1: keys'],
    2,
    'SETUP, then CLIENT',
  ],
  [
    'a peer that the server has lost is drift, told once',
    {
      servers: [
        server(0, {
          drift: ['running wg0: add peer'],
          end: { interface: 'wg0', publicKey: serverKey(0), peers: [] },
        }),
      ],
    },
    ['wgnet1: drift'],
    2,
    'SETUP',
  ],
  [
    'files older',
    {
      files: new Map([
        ['wgnet2', { is: 'older', what: 'Endpoint' }],
        ['setup.sh', { is: 'missing' }],
      ]),
    },
    ['wgnet2: files', 'null: files'],
    2,
    'SETUP, then CLIENT',
  ],
  [
    'a client that somebody named, and is not there',
    { client: { where: 'c', named: true, answer: new Fault({ what: 'gone', next: 'N', code: 4 }) } },
    ['null: no client'],
    4,
    'N',
  ],
  [
    'one that nobody named',
    { client: { where: 'c', named: false, answer: new Fault({ what: 'gone', code: 4 }) } },
    [],
    0,
  ],
];
