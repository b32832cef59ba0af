/** The third layer, on what Debian's `ip` and `tc` print. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { guardedIn, guardsIn, judgeGuard } from '../../client/scripts/lib/check/guard.ts';
import { SET_UP } from '../../client/scripts/lib/check/verdict.ts';

const TEXT = `bar() { tc filter replace dev "$1" egress pref "$2" handle 1 protocol all bpf bytecode "$3" direct-action; }
bar_device() {
  bar "$1" 51820 '2,6 0 0 0,6 0 0 4294967295' &&
    bar "$1" 51823 '1,6 0 0 2'
}
`;
const GUARDS = guardsIn(TEXT);
const filter = (preference: number, bytecode: string, protocol = 'all', handle = '0x1'): string => {
  const head = `filter protocol ${protocol} pref ${preference} bpf chain 0`;
  return `${head} \n${head} handle ${handle} direct-action not_in_hw bytecode '${bytecode}'\n`;
};
const FIRST = filter(51820, '2,6 0 0 0,6 0 0 4294967295');
const LAST = filter(51823, '1,6 0 0 2');
const judged = (printed: string) =>
  judgeGuard(
    GUARDS,
    new Map([
      ['eth0', FIRST + LAST],
      ['eth1', printed],
    ]),
  );

test('the filters that setup.sh makes, by its text', () => {
  assert.deepEqual(GUARDS, [
    { preference: 51820, bytecode: '2,6 0 0 0,6 0 0 4294967295' },
    { preference: 51823, bytecode: '1,6 0 0 2' },
  ]);
  assert.deepEqual(guardsIn(''), []);
  assert.equal(judgeGuard([], new Map([['eth0', '']])).ok, null);
  assert.equal(judgeGuard(GUARDS, undefined).ok, null);
});

test('filters as they should be; what stands behind them is never asked', () => {
  assert.equal(judged(FIRST + LAST).ok, true);
  assert.equal(judged(FIRST + LAST + filter(51824, '1,6 0 0 0')).ok, true);
});

for (const [what, printed, found, remedy] of [
  ['none', '', /none on eth1/, SET_UP],
  ['the last is missing', FIRST, /preference 51823/, SET_UP],
  ['the first is missing', LAST, /preference 51820/, SET_UP],
  ['one before ours', filter(1, '1,6 0 0 0') + FIRST + LAST, /not ours, preference 1$/, 'egress pref 1; '],
  ['one between', FIRST + filter(51821, '1,6 0 0 0') + LAST, /not ours, preference 51821/, 'pref 51821; '],
  ['one of IP alone', filter(9, '1,6 0 0 0', 'ip') + FIRST + LAST, /not ours, preference 9/, 'pref 9; '],
  ['a second in ours', FIRST + filter(51820, '1,6 0 0 0', 'all', '0x2') + LAST, /not ours/, 'pref 51820; '],
  ['another program', FIRST + filter(51823, '1,6 0 0 0'), /not as .* 51823/, 'egress pref 51823; '],
  ['no say', FIRST + LAST.replaceAll('direct-action ', ''), /not as .* 51823/, 'egress pref 51823; '],
] as const)
  test(`filters that are not as they should be: ${what}`, () => {
    const finding = judged(printed);
    assert.equal(finding.ok, false);
    assert.match(finding.found, found);
    assert.ok(finding.remedy?.includes(remedy) && finding.remedy.endsWith(SET_UP), finding.remedy);
  });

test('guarded is what setup.sh guards: all but the tunnels and the ends of containers and machines', () => {
  const link = (ifname: string, kind?: string, port?: string): object => ({
    ...{ ifname, flags: [], linkinfo: { info_kind: kind, info_slave_kind: port } },
  });
  const links = [
    ...[
      link('lo'),
      link('wg0', 'wireguard'),
      link('wgnet12', 'tun'),
      { ifname: 'eth0' },
      link('veth0', 'veth'),
    ],
    ...[link('br0', 'bridge'), link('eth1', undefined, 'bridge'), link('vlan1', 'vlan', 'bridge')],
    ...[link('veth1', 'veth', 'bridge'), link('tap0', 'tun', 'bridge'), link('eth2', undefined, 'bond')],
  ];
  assert.deepEqual(guardedIn(JSON.stringify(links)), ['eth0', 'veth0', 'br0', 'eth1', 'vlan1', 'eth2']);
});
