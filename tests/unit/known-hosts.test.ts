import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { test } from 'node:test';
import { hostKeyAlgorithms, judgeHostKey, knownKeys } from '../../scripts/lib/transport/known-hosts.ts';

const blob = (byte: number): Buffer =>
  Buffer.concat([Buffer.from([0, 0, 0, 11]), Buffer.from('ssh-ed25519'), Buffer.alloc(36, byte)]);
const [mine, other] = [blob(1), blob(2)];
const line = (hosts: string, key = mine): string => `${hosts} ssh-ed25519 ${key.toString('base64')} comment`;
const hashed = (name: string): string => {
  const salt = Buffer.alloc(20, 7);
  return `|1|${salt.toString('base64')}|${createHmac('sha1', salt).update(name).digest('base64')}`;
};

for (const [hosts, address, port, found] of [
  ['1.2.3.4', '1.2.3.4', 22, true],
  ['1.2.3.4', '1.2.3.4', 2222, false],
  ['[1.2.3.4]:2222', '1.2.3.4', 2222, true],
  ['a.example,1.2.3.4', '1.2.3.4', 22, true],
  ['1.2.3.*', '1.2.3.4', 22, true],
  ['1.2.3.*,!1.2.3.4', '1.2.3.4', 22, false],
  ['1.2.3', '1.2.3.4', 22, false],
  ['A.Example', 'a.example', 22, true],
  [hashed('1.2.3.4'), '1.2.3.4', 22, true],
  [hashed('1.2.3.5'), '1.2.3.4', 22, false],
  [hashed('[1.2.3.4]:2222'), '1.2.3.4', 2222, true],
  ['#1.2.3.4', '1.2.3.4', 22, false],
  ['@cert-authority 1.2.3.4', '1.2.3.4', 22, false],
] as const) {
  test(`known_hosts: ${hosts.slice(0, 20)} ${found ? 'names' : 'does not name'} ${address} port ${port}`, () => {
    assert.equal(knownKeys(line(hosts), 'known_hosts', address, port).length, found ? 1 : 0);
  });
}

test('a key is known, changed, revoked or unknown', () => {
  const judge = (text: string) => judgeHostKey(knownKeys(text, 'f', 'h', 22), mine);
  assert.deepEqual(judge(line('h')), { verdict: 'known' });
  assert.deepEqual(judge(`\n${line('h', other)}`), { verdict: 'changed', at: 'f:2' });
  assert.deepEqual(judge(`${line('h')}\n${line('@revoked h')}`), { verdict: 'revoked', at: 'f:2' });
  assert.deepEqual(judge(line('i')), { verdict: 'unknown' });
});

test('the kinds of key that are known are asked for first', () => {
  const known = knownKeys(`h ssh-rsa ${mine.toString('base64')}`, 'f', 'h', 22);
  assert.deepEqual(hostKeyAlgorithms(known).slice(0, 2), ['rsa-sha2-512', 'rsa-sha2-256']);
  assert.equal(hostKeyAlgorithms([])[0], 'ssh-ed25519');
});
