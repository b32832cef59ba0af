import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Fault } from '../../client/scripts/lib/fault.ts';
import { clientModeIn, modeFault, modeIn, plannedMode, tcpIn } from '../../client/scripts/lib/mode.ts';

const rule = (priority: number, mark: number, table: string, more = {}): object => ({
  ...{ priority, src: 'all', fwmark: `0x${mark.toString(16)}`, table },
  ...more,
});
const usual = [
  { priority: 0, src: 'all', table: 'local' },
  { priority: 32766, src: 'all', table: 'main' },
  { priority: 32767, src: 'all', table: 'default' },
];
const wireguard = [
  rule(100, 51821, 'main'),
  rule(101, 51820, '51821'),
  rule(102, 51820, '51820', { not: null }),
];
const quic = [rule(100, 51821, 'main'), rule(101, 51821, '51821', { not: null })];
const sticky = [1, 2, 3].map((k) => rule(98, 52000 + k, String(52000 + k)));
const text = (...rules: object[][]): string => JSON.stringify([...usual, ...rules.flat()]);

test('the mode is what the rules make of a packet without a mark', () => {
  assert.equal(modeIn(text(wireguard)), 'wireguard');
  assert.equal(modeIn(text(quic)), 'quic');
  assert.equal(modeIn(text(quic, sticky)), 'quic');
  // Nothing is set up; a rule of somebody's own; the mark without `not`.
  assert.equal(modeIn(text()), 'wireguard');
  assert.equal(modeIn(text([rule(101, 51821, '200', { not: null })])), 'wireguard');
  assert.equal(modeIn(text([rule(101, 51821, '51821')])), 'wireguard');
});

test('TCP is sticky where marks lead to tables of their own', () => {
  assert.equal(tcpIn(text(quic, sticky)), 'sticky');
  assert.equal(tcpIn(text(quic)), 'none');
  // A split by packet; marks of others at that preference.
  assert.equal(tcpIn(text(wireguard, [rule(99, 51901, '51901')])), 'none');
  assert.equal(tcpIn(text(quic, [rule(98, 7, '7')])), 'none');
});

test('another mode than the one asked for is refused, with what changes it', () => {
  assert.equal(modeFault(undefined, 'quic'), undefined);
  assert.equal(modeFault('quic', 'quic'), undefined);
  const fault = modeFault('quic', 'wireguard');
  assert.equal(fault?.message, '--mode quic: this client is in mode wireguard');
  assert.match(fault?.next ?? '', /wgnet-setup\.ts --mode quic, then \/etc\/wireguard\/setup\.sh/);
  assert.equal(fault?.code, 1);
});

test('a plan on a client is for its mode, and another is refused; elsewhere it is for any', () => {
  assert.deepEqual([text(quic), text(wireguard), text()].map(clientModeIn), ['quic', 'wireguard', undefined]);
  const none = () => {
    throw new Fault({ what: 'cannot run ip' });
  };
  const on =
    (...rules: object[][]) =>
    () =>
      text(...rules);
  assert.equal(plannedMode(undefined, on(quic)), 'quic');
  assert.equal(plannedMode('quic', on(quic, sticky)), 'quic');
  assert.throws(() => plannedMode('wireguard', on(quic)), { message: /this client is in mode quic$/ });
  assert.throws(() => plannedMode('quic', on(wireguard)), { message: /this client is in mode wireguard$/ });
  for (const ask of [on(), none]) {
    assert.equal(plannedMode(undefined, ask), 'wireguard');
    assert.equal(plannedMode('quic', ask), 'quic');
  }
});
