/** Judges of what a check measured, and how its lines read; no machine is looked at. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { judgeExit } from '../../client/scripts/lib/check/exits.ts';
import { fieldsIn, marksIn } from '../../client/scripts/lib/check/machine.ts';
import {
  judgeNeighbours,
  judgeResolver,
  judgeResolverWay,
  judgeSysctls,
  nameserversIn,
  setUpIn,
} from '../../client/scripts/lib/check/system.ts';
import { bytesText, judgeAnswer, judgeTunnel } from '../../client/scripts/lib/check/tunnels.ts';
import {
  bad,
  good,
  groupOf,
  leftOut,
  linesOf,
  paintFor,
  SET_UP,
  summaryOf,
  verdictOf,
} from '../../client/scripts/lib/check/verdict.ts';

const plain = paintFor(false, {});

test('one line that is not ok decides; what is left out does not', () => {
  assert.equal(verdictOf([]), 'ok');
  assert.equal(verdictOf([{ ok: true }, { ok: null }]), 'ok');
  assert.equal(verdictOf([{ ok: true }, { ok: null }, { ok: false }]), 'not ok');
});

test('lines: the reason and the next command of what is not ok, the reason of what is left out', () => {
  assert.deepEqual(linesOf(good('a', 'a thing', 'found'), plain), [
    `  ok        ${'a thing'.padEnd(34)}  found`,
  ]);
  assert.deepEqual(linesOf(bad('a', 'a thing', 'found', 'because', 'mend it'), plain), [
    `  NOT OK    ${'a thing'.padEnd(34)}  found`,
    '            why   because',
    '            next  mend it',
  ]);
  assert.deepEqual(linesOf(leftOut('a', 'a thing', 'no tool', 'apt-get install it'), plain), [
    `  left out  ${'a thing'.padEnd(34)}  no tool`,
    '            next  apt-get install it',
  ]);
  const checks = groupOf('rules', [good('a', 'a', ''), bad('b', 'b', '', '', ''), leftOut('c', 'c', '')]);
  assert.equal(summaryOf(checks, plain), 'NOT OK: 1 of them; 1 check ok, 1 left out');
  const unseen = groupOf('rules', [good('a', 'a', ''), leftOut('guard', 'tc’s filters', 'tc is missing')]);
  assert.equal(summaryOf(unseen, plain), 'ok: 1 check ok, 1 left out; a layer was not judged: tc’s filters');
});

test('colours are for terminals whose user wants some', () => {
  assert.equal(paintFor(true, { NO_COLOR: '1' })('red', 'x'), 'x');
  assert.equal(paintFor(false, {})('red', 'x'), 'x');
  assert.equal(paintFor(true, {})('red', 'x'), '\u001b[31mx\u001b[39m');
});

test('neighbours are answered by a mark of its own; a kernel that cannot is no fault', () => {
  const table = (mark: string) => `table arp comps {\n\tchain input {\n\t\tmeta mark set ${mark}\n\t}\n}`;
  assert.equal(judgeNeighbours(table('0x0000ca6d')).ok, true);
  assert.equal(judgeNeighbours(undefined).ok, null);
  for (const wrong of [table('0x0000ca6c'), 'table arp comps {\n}'])
    assert.equal(judgeNeighbours(wrong).ok, false);
});

test('strict reverse path filtering, on all or on one tunnel, and a mark that does not count', () => {
  const judged = (rpFilter: [string, number][], srcValidMark = 1) =>
    judgeSysctls({ rpFilter: new Map(rpFilter), srcValidMark }).map(({ ok }) => ok);
  assert.deepEqual(
    judged([
      ['all', 2],
      ['wg0', 1],
    ]),
    [true, true],
  );
  assert.deepEqual(
    judged([
      ['all', 0],
      ['wg0', 2],
    ]),
    [true, true],
  );
  assert.deepEqual(
    judged([
      ['all', 1],
      ['wg0', 0],
    ]),
    [false, true],
  );
  assert.deepEqual(
    judged([
      ['all', 0],
      ['wg0', 1],
    ]),
    [false, true],
  );
  assert.deepEqual(
    judged(
      [
        ['all', 2],
        ['wg0', 2],
      ],
      0,
    ),
    [true, false],
  );
});

test('the resolver is the one that setup.sh names', () => {
  const text = '#!/usr/bin/env bash\nPATHS=( wgnet1 wgnet2 )\nRESOLVER=203.0.113.53\n';
  assert.deepEqual(setUpIn(text), {
    ...{ paths: ['wgnet1', 'wgnet2'], resolver: '203.0.113.53', guards: [] },
    ...{ mode: 'wireguard', tcp: undefined },
  });
  const { mode, tcp } = setUpIn(`${text}MODE=quic\nTCP=sticky\n`);
  assert.deepEqual([mode, tcp], ['quic', 'sticky']);
  const nothing = { paths: undefined, resolver: undefined, mode: undefined, tcp: undefined, guards: [] };
  assert.deepEqual(setUpIn(''), nothing);
  assert.deepEqual(
    nameserversIn('# nameserver 1.1.1.1\nnameserver 192.0.2.53\noptions x\n nameserver ::1\n'),
    ['192.0.2.53', '::1'],
  );
  assert.equal(judgeResolver(['203.0.113.53'], '203.0.113.53').ok, true);
  assert.equal(judgeResolver(['203.0.113.53', '192.0.2.53'], '203.0.113.53').ok, false);
  assert.match(judgeResolver(['127.0.0.11'], undefined).reason ?? '', /Docker/);
  assert.equal(judgeResolver([], '203.0.113.53').ok, false);
  assert.equal(judgeResolver(['192.0.2.53'], undefined).ok, null);
  const closed = judgeResolver(['203.0.113.53'], '203.0.113.53', false);
  assert.deepEqual([closed.ok, closed.remedy], [false, 'chmod a+r /etc/resolv.conf']);
  assert.equal(judgeResolverWay('203.0.113.53', 'wg0', true).ok, true);
  for (const [dev, answered] of [
    ['eth0', true],
    [undefined, false],
    ['wg0', false],
  ] as const)
    assert.equal(judgeResolverWay('203.0.113.53', dev, answered).ok, false);
});

test('a tunnel: there, up, with a peer and a handshake that is fresh', () => {
  const state = {
    ...{ name: 'wgnet2', there: true, up: true, endpoint: '198.51.100.12:51820', mark: 51821, age: 180 },
    ...{ received: 1234, sent: 0 },
  };
  assert.equal(
    judgeTunnel(state).found,
    'up, to 198.51.100.12:51820, handshake 180 s ago, 1.2 kB in, 0 B out',
  );
  for (const wrong of [
    { there: false },
    { up: false },
    { endpoint: undefined },
    { mark: 0 },
    { mark: 51820 },
    { mark: undefined },
    { name: 'wg0' },
    { age: undefined },
    { age: 181 },
  ])
    assert.equal(judgeTunnel({ ...state, ...wrong }).ok, false, JSON.stringify(wrong));
  assert.equal(judgeAnswer('wgnet2', { inside: '10.45.0.2', rtt: 1.5 }).ok, true);
  assert.match(judgeAnswer('wgnet2', undefined).remedy ?? '', /wgnet-setup\.ts/);
  assert.equal(judgeTunnel({ ...state, name: 'wg0', mark: 51820 }).ok, true);
  const unmarked = judgeTunnel({ ...state, mark: 0, age: undefined });
  assert.deepEqual([unmarked.found, unmarked.remedy], ['up, its packets with no mark', SET_UP]);
  assert.equal(judgeAnswer('wgnet2', undefined, SET_UP).remedy, SET_UP);
  assert.deepEqual(
    [...marksIn('wg0\t0xca6c\nwgnet1\toff\n')],
    [
      ['wg0', 51820],
      ['wgnet1', 0],
    ],
  );
  assert.deepEqual([999, 1000, 123_456, 5e9].map(bytesText), ['999 B', '1.0 kB', '123 kB', '5.0 GB']);
  const transfer = 'wgnet1\tKEY=\t92\t180\nwg0\tKEY=\t1\t2\n';
  assert.deepEqual(fieldsIn(transfer).get('wg0'), ['1', '2']);
  assert.equal(fieldsIn('').size, 0);
});

test('exits: its own server; never this machine, and no other path’s server', () => {
  const hosts = new Map([
    ['wgnet1', '198.51.100.11'],
    ['wgnet2', '198.51.100.12'],
    ['wg0', '198.51.100.201'],
  ]);
  const of = (name: string, seen: string | undefined) =>
    judgeExit({ name, seen, trouble: 'curl: (28) timed out', hosts, own: ['192.0.2.2'] });
  assert.equal(of('wgnet1', '198.51.100.11').ok, true);
  assert.equal(of('wgnet1', '198.51.100.99').ok, true);
  assert.equal(of('wgnet1', '198.51.100.12').ok, false);
  assert.equal(of('wg0', '198.51.100.11').ok, false);
  assert.match(of('wg0', '192.0.2.2').reason ?? '', /this machine itself/);
  assert.equal(of('wg0', '<html>').ok, false);
  assert.match(of('wg0', undefined).reason ?? '', /timed out/);
});
