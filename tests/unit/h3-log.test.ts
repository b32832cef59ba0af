import assert from 'node:assert/strict';
import { test } from 'node:test';
import { connectionsIn } from '../../scripts/lib/lab/h3-log.ts';
import { KEEP } from '../../scripts/lib/lab/h3-server.ts';
import { attempt } from '../../scripts/lib/transport/local.ts';

// Of a real one, its names cut short: two clients at the same time, of which one moves twice, and once fails to.
const LOG = `0xe38a83cf QUIC handshake has completed remote=[198.51.100.12]:56511
0xe38a83cf http: stream 0x0 [:path: /get.html?60m]
0x21552177 QUIC handshake has completed remote=[198.51.100.11]:34065
0xe38a83cf http: stream 0x4 [:path: /60m]
0x21552177 http: stream 0x0 [:path: /10m]
0xe38a83cf Path validation against path {local:[203.0.113.81]:443, remote:[198.51.100.11]:51096} succeeded
0xe38a83cf Path validation against path {local:[203.0.113.81]:443, remote:[198.51.100.12]:56511} succeeded
0xe38a83cf Path validation against path {local:[203.0.113.81]:443, remote:[198.51.100.13]:51096} failed
0xe38a83cf Path validation against path {local:[203.0.113.81]:443, remote:[198.51.100.14]:51096} succeeded
`;

test('each connection has the addresses that were proved, and what it asked for', () => {
  assert.deepEqual(connectionsIn(LOG), [
    {
      id: '0xe38a83cf',
      addresses: ['198.51.100.12', '198.51.100.11', '198.51.100.14'],
      requests: ['/get.html?60m', '/60m'],
    },
    { id: '0x21552177', addresses: ['198.51.100.11'], requests: ['/10m'] },
  ]);
});

test('of a log that is still being written, what is whole counts', () => {
  assert.deepEqual(connectionsIn(''), []);
  const cut = LOG.slice(0, LOG.indexOf('.12]:56511} succeeded') + 8);
  assert.deepEqual(
    connectionsIn(cut).map(({ addresses }) => addresses),
    [['198.51.100.12', '198.51.100.11'], ['198.51.100.11']],
  );
  assert.deepEqual(connectionsIn('0xe38a83cf http: stream 0x0 [:path: /10m]\n'), []);
});

// As the server prints it, in part: two connections in turn, and a packet of nobody's between.
const TOLD = `Using document root /site/quic/
Received packet: local=[203.0.113.81]:443 remote=[198.51.100.12]:56511 if=eth0 ecn=0x0 1200 bytes
I00000004 0xe38a con recv packet len=1200
I00000004 0xe38a pkt rx pkn=1 dcid=0x3b87 type=Handshake len=36
QUIC handshake has completed
Negotiated ALPN is h3
Sent packet: local=[203.0.113.81]:443 remote=[198.51.100.12]:56511 ecn=0x2 1200 bytes
I00000004 0xe38a ldc loss_detection_timer=103 timeout=99
Received packet: local=[203.0.113.81]:443 remote=[198.51.100.11]:34065 if=eth0 ecn=0x0 1200 bytes
I00000000 0x2155 con recv packet len=1200
QUIC handshake has completed
Timer expired
I00000009 0xe38a ldc loss detection timer fired
Received packet: local=[203.0.113.81]:443 remote=[192.0.2.9]:9 if=eth0 ecn=0x0 3 bytes
Received packet: local=[203.0.113.81]:443 remote=[198.51.100.11]:34065 if=eth0 ecn=0x0 70 bytes
I00000002 0x2155 con recv packet len=70
I00000002 0x2155 frm rx 3 1RTT STREAM(0x0b) id=0x0 fin=1 offset=0 len=23 uni=0
http: stream 0x0 request headers started
http: stream 0x0 [:method: GET]
http: stream 0x0 [:path: /10m]
Received packet: local=[203.0.113.81]:443 remote=[198.51.100.13]:56511 if=eth0 ecn=0x0 60 bytes
I00000200 0xe38a con recv packet len=60
I00000200 0xe38a frm rx 9 1RTT PATH_RESPONSE(0x1b) data=0xb9ff
Path validation against path {local:[203.0.113.81]:443, remote:[198.51.100.13]:56511} succeeded
gtlsserver: something is wrong
`;

test('what is kept of all that the server tells is each connection’s own; its last words come out', async () => {
  const { code, stdout, stderr } = await attempt(['perl', '-e', KEEP], { input: TOLD });
  assert.equal(code, 0);
  assert.deepEqual(connectionsIn(stdout), [
    { id: '0xe38a', addresses: ['198.51.100.12', '198.51.100.13'], requests: [] },
    { id: '0x2155', addresses: ['198.51.100.11'], requests: ['/10m'] },
  ]);
  assert.equal(stdout.split('\n').length, 5);
  assert.match(stderr, /ended: .* succeeded\ngtlsserver: something is wrong$/m);
});
