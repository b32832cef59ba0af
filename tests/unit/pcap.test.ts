import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PcapError, readPcap } from '../../client/scripts/lib/trace/pcap.ts';
import { pcapBytes, udpPacket } from '../pcap-writer.ts';

const CLIENT = '10.45.0.5';
const PEER = '192.0.2.20';
const US = 1_760_000_000_123_456;

const three = [
  { us: US, bytes: udpPacket(CLIENT, PEER, 148) },
  { us: US + 5, bytes: udpPacket(PEER, CLIENT, 92) },
  { us: US + 9, bytes: udpPacket('10.9.9.9', PEER, 60) },
];

test('both orders of bytes, micro- and nanoseconds: the same packets', () => {
  for (const bigEndian of [false, true])
    for (const nano of [false, true]) {
      const { packets, cut } = readPcap(pcapBytes(three, { bigEndian, nano }), CLIENT);
      assert.equal(cut, false);
      assert.deepEqual(
        packets.map(({ time, size, direction }) => [Math.round(time * 1e6), size, direction]),
        [
          [US, 148, 1],
          [US + 5, 92, -1],
          [US + 9, 60, 0],
        ],
      );
    }
});

test('sizes are those on the wire without a link header, also where less was captured', () => {
  const bytes = Buffer.concat([Buffer.alloc(14), udpPacket(CLIENT, PEER, 1400).subarray(0, 50)]);
  const { packets } = readPcap(pcapBytes([{ us: US, bytes, wire: 1414 }], { link: 1 }), CLIENT);
  assert.deepEqual(
    packets.map(({ size, direction }) => [size, direction]),
    [[1400, 1]],
  );
});

test('IPv6 addresses are eight groups', () => {
  const bytes = Buffer.alloc(48);
  bytes[0] = 0x60;
  bytes.set([0xfd, 0], 8);
  bytes[23] = 1;
  const { packets } = readPcap(pcapBytes([{ us: US, bytes }]), 'fd00:0:0:0:0:0:0:1');
  assert.equal(packets[0]?.direction, 1);
});

test('packets that are no IP, or too short for addresses, have no direction', () => {
  const odd = [
    Buffer.alloc(0),
    Buffer.from([0x45]),
    Buffer.alloc(40),
    udpPacket(CLIENT, PEER, 40).subarray(0, 19),
  ];
  const { packets } = readPcap(pcapBytes(odd.map((bytes) => ({ us: US, bytes, wire: 40 }))), CLIENT);
  assert.deepEqual(
    packets.map(({ direction }) => direction),
    [0, 0, 0, 0],
  );
});

test('a capture that ends in a packet says so at every byte, and keeps the packets before', () => {
  const whole = pcapBytes(three);
  const ends = [24, 24 + 16 + 148, 24 + 32 + 240, whole.length];
  for (let length = 24; length <= whole.length; length++) {
    const { packets, cut } = readPcap(whole.subarray(0, length), CLIENT);
    assert.equal(cut, !ends.includes(length), `${length} bytes`);
    assert.equal(packets.length, ends.filter((end) => end <= length).length - 1);
  }
});

test('a captured length from a broken file is no reason to read on', () => {
  const bytes = pcapBytes(three);
  bytes.writeUInt32LE(0xffffffff, 24 + 8);
  assert.deepEqual(readPcap(bytes, CLIENT), { packets: [], cut: true });
});

test('what is no pcap is refused with a reason', () => {
  const pcapng = Buffer.alloc(32);
  pcapng.writeUInt32LE(0x0a0d0d0a);
  const cases: [Buffer, RegExp][] = [
    [Buffer.alloc(0), /shorter/],
    [Buffer.alloc(23), /shorter/],
    [Buffer.alloc(100), /no pcap/],
    [pcapng, /editcap/],
    [pcapBytes(three, { link: 105 }), /link type 105/],
  ];
  for (const [bytes, what] of cases)
    assert.throws(
      () => readPcap(bytes, CLIENT),
      (error) => error instanceof PcapError && what.test(error.message),
    );
});
