/** Mode quic on the side of the set-up: what is decided before anybody is connected to. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import type { Fault } from '../../scripts/lib/cli.ts';
import { type Mode, parseConfig, type Tcp } from '../../scripts/lib/config.ts';
import { planOf } from '../../scripts/lib/digitalocean/plan.ts';
import { idleOf, wantedOf } from '../../scripts/lib/digitalocean/wanted.ts';
import { networkOf, passedOver } from '../../scripts/lib/inventory.ts';
import { CLIENT_PROBE, modeIn } from '../../scripts/lib/status/client.ts';
import type { FileSeen } from '../../scripts/lib/status/judge.ts';
import { prometheusText } from '../../scripts/lib/status/prometheus.ts';
import { tableLines } from '../../scripts/lib/status/table.ts';
import { foresee } from '../../scripts/lib/steps/foreseeing.ts';
import { type ModeFlags, modeWords } from '../../scripts/lib/steps/mode-flags.ts';
import { planLines } from '../../scripts/lib/steps/plan-lines.ts';
import { holdsNetworkOf, modeOf } from '../../scripts/lib/steps/present-client.ts';
import { readConfig } from '../../scripts/lib/steps/read-config.ts';
import { requireModeOf } from '../../scripts/lib/steps/rotating.ts';
import { modeLine, retiredLine } from '../../scripts/lib/steps/set-up-client.ts';
import { readInput } from '../../scripts/lib/steps/set-up-input.ts';
import { serverTasksFor } from '../../scripts/lib/steps/set-up-servers.ts';
import { attempt } from '../../scripts/lib/transport/local.ts';
import { clientFiles } from '../../scripts/lib/wireguard/client-files.ts';
import { type Topology, topologyOf, tunnelsOf } from '../../scripts/lib/wireguard/topology.ts';
import {
  endpointIn,
  retiredIn,
  staleIn,
  writeClientFiles,
} from '../../scripts/lib/wireguard/write-client.ts';
import { clientUp, server, statusOf } from '../status-seen.ts';
import { faultOf, parse } from './inventory-reading.ts';

const NETWORK = 'wireguard_subnet: 10.45.0\nwireguard_gateway_address: 10.45.0.2/32\n';
const folder = mkdtempSync(join(tmpdir(), 'comps-quic-'));
after(() => rmSync(folder, { recursive: true }));

/** A file with this text; its name. */
function file(name: string, text: string): string {
  writeFileSync(join(folder, name), text);
  return join(folder, name);
}
const proxy = (k: number) => ({ name: `p${k}`, address: `198.51.100.1${k}` });
const COMP = { name: 'c', address: '198.51.100.201' };
const topology = (proxies: number[], comp?: typeof COMP): Topology =>
  topologyOf({
    proxies: proxies.map(proxy),
    comp,
    port: 51820,
    pathAddress: (k) => `10.45.0.${4 + k}`,
    compAddress: '10.45.0.100',
  });

test('config.cfg: two modes, and what TCP may do in one of them', () => {
  const read = (text: string) => parseConfig(NETWORK + text, 'c').config;
  assert.deepEqual([read('').mode, read('').allowTcp], ['wireguard', 'none']);
  const quic = read('mode: quic\nallow_tcp: sticky\n');
  assert.deepEqual([quic.mode, quic.allowTcp], ['quic', 'sticky']);
  const cases: [string, RegExp][] = [
    ['mode: Quic\n', /^c:3: mode is "Quic": expected wireguard or quic$/],
    ['allow_tcp: true\n', /^c:3: allow_tcp is "true": expected none or sticky$/],
    ['allow_tcp: sticky\n', /^c:3: allow_tcp is sticky: in mode wireguard .* expected none, or mode: quic$/],
    ['mode: quic\nwireguard_ipv6: true\n', /^c:4: wireguard_ipv6 is true: mode quic carries IPv4 only/],
    ['mode: quic\ndns: 2001:db8::1\n', /^c:4: dns is 2001:db8::1: mode quic carries IPv4 only/],
  ];
  for (const [text, message] of cases) assert.match(faultOf(() => read(text)).message, message, text);
});

test('flags stand before config.cfg, and say so where they contradict it', () => {
  const plain = file('plain.cfg', NETWORK);
  const quic = file('quic.cfg', `${NETWORK}mode: quic\nallow_tcp: sticky\n`);
  assert.equal(readConfig(plain, { mode: 'quic' }).mode, 'quic');
  assert.equal(readConfig(plain, { extraVars: ['mode=quic allow_tcp=sticky'] }).allowTcp, 'sticky');
  assert.equal(readConfig(quic, { mode: 'wireguard', allowTcp: 'none' }).mode, 'wireguard');
  assert.equal(readConfig(quic, { mode: 'quic', extraVars: ['mode=quic'] }).mode, 'quic');
  const refused = (name: string, flags: ModeFlags & { extraVars?: string[] }): Fault =>
    faultOf(() => readConfig(name, flags));
  const sticky = refused(plain, { allowTcp: 'sticky' });
  assert.match(sticky.message, /^--allow-tcp: allow_tcp is sticky: /);
  assert.match(sticky.next ?? '', /^correct --allow-tcp; /);
  assert.match(refused(quic, { mode: 'wireguard' }).message, /quic\.cfg:4: allow_tcp is sticky: /);
  assert.match(refused(plain, { extraVars: ['mode=x'] }).message, /^--extra-vars: mode is "x": expected/);
  assert.match(
    refused(plain, { mode: 'quic', extraVars: ['mode=wireguard'] }).message,
    /^--mode: is quic, and --extra-vars sets mode otherwise$/,
  );
  assert.deepEqual(modeWords({ mode: 'quic', allowTcp: 'none' }), ['--mode', 'quic', '--allow-tcp', 'none']);
});

test('what contradicts mode or resolver is judged for whoever sets up, and keeps nobody from deleting droplets', () => {
  const texts = [
    ['allow_tcp: sticky\n', 'droplets'],
    ['mode: quic\nwireguard_ipv6: true\n', 'droplets'],
    ['mode: quic\ndns: 2001:db8::1\n', 'droplets'],
    ['dns: 10.45.0.7\n', 'droplets'],
    ['wireguard_ipv6: true\nwireguard_mtu: 1300\n', 'droplets'],
    ['mode: qiuc\nallow_tcp: 1\nwireguard_ipv6: 7\ndns: [x]\n', 'account'],
  ] as const;
  for (const [text, needed] of texts) {
    const name = file('way.cfg', `${NETWORK}tag: mine\n${text}`);
    assert.match(faultOf(() => readConfig(name)).message, /way\.cfg:[45]: /, text);
    assert.equal(readConfig(name, {}, needed).tag, 'mine', text);
    const { mode, allowTcp, wireguardIpv6, dns } = readConfig(name, {}, 'account');
    assert.deepEqual([mode, allowTcp, wireguardIpv6, dns], ['wireguard', 'none', false, '9.9.9.9'], text);
  }
  // The rest is judged for all of them.
  const other = file('other.cfg', `${NETWORK}tagg: mine\n`);
  assert.match(faultOf(() => readConfig(other, {}, 'account')).message, /unknown key "tagg"/);
});

test('hosts.ini: [vpn] is all that mode quic needs, and [comp] is passed over whatever is in it', () => {
  const all = (text: string) => {
    const inventory = parse(text);
    const { vpn, comp } = networkOf(inventory, 'quic');
    assert.equal(comp, undefined);
    return [
      vpn.map(({ name, index }) => `${name}=${index}`).join(' '),
      passedOver(inventory, 'quic').join(' '),
    ];
  };
  assert.deepEqual(all('[vpn]\na\nb\n'), ['a=1 b=2', '']);
  assert.deepEqual(all('[vpn]\na\n[comp]\n'), ['a=1', '']);
  assert.deepEqual(all('[vpn]\na\n[comp]\nc\n'), ['a=1', 'c']);
  // What mode wireguard refuses.
  assert.deepEqual(all('[vpn]\na\nb\n[comp]\nb\nc\nd ansible_host=a\n[comps]\ne\n'), ['a=1 b=2', 'c d e']);
  assert.match(faultOf(() => networkOf(parse('[comp]\nc\n'), 'quic')).message, /no group \[vpn\]/);
  assert.match(
    faultOf(() => networkOf(parse('[vpn]\na\nb ansible_host=a\n'), 'quic')).message,
    /:3: b has the address of a/,
  );
  assert.deepEqual(passedOver(parse('[vpn]\na\n[comp]\nc\n'), 'wireguard'), []);
  assert.match(
    faultOf(() => networkOf(parse('[vpn]\na\n'))).next ?? '',
    /mode quic needs none \(--mode quic\)/,
  );
});

test('topology: one address on every path, no wg0, and the same proxies as in mode wireguard', () => {
  const [quic, whole] = [topology([1, 2]), topology([1, 2], COMP)];
  assert.deepEqual([quic.mode, whole.mode], ['quic', 'wireguard']);
  assert.deepEqual(
    tunnelsOf(quic).map((tunnel) => [tunnel.interface, tunnel.clientAddress]),
    [
      ['wgnet1', '10.45.0.5'],
      ['wgnet2', '10.45.0.5'],
    ],
  );
  assert.equal(tunnelsOf(whole).length, 3);
  const { config } = parseConfig(NETWORK, 'c');
  const wishes = ({ paths }: Topology) =>
    paths.map((tunnel) =>
      JSON.stringify(serverTasksFor(tunnel, 'KEY', config).map((task) => [task.name, task.probe])),
    );
  assert.deepEqual(wishes(quic), wishes(whole));
  // What a task wants is in its plan, so it is the tunnel that must be the same, but for the client's own address.
  const server = ({ paths }: Topology) => paths.map(({ clientAddress: _, ...rest }) => rest);
  assert.deepEqual(server(quic), server(whole));
});

test('the client’s folder goes from one mode to the other and back, and is known as the same network’s', () => {
  const out = join(folder, 'client');
  mkdirSync(out);
  const files = (of: Topology) =>
    clientFiles(of, () => ({ privateKey: 'K', serverPublicKey: 'S' }), { dns: '9.9.9.9', published: [] });
  const confs = () =>
    readdirSync(out)
      .filter((name) => name.endsWith('.conf'))
      .join(' ');
  const [quic, whole] = [topology([1, 2]), topology([1, 2], COMP)];

  assert.deepEqual(
    [endpointIn(out), holdsNetworkOf(out, quic), retiredIn(out, quic)],
    [undefined, undefined, []],
  );
  writeClientFiles(out, files(whole));
  assert.deepEqual([endpointIn(out), modeOf(out)], ['198.51.100.201:51820', 'wireguard']);
  assert.equal(holdsNetworkOf(out, quic), true);
  assert.deepEqual(retiredIn(out, quic), [COMP]);
  assert.deepEqual(staleIn(out, files(quic)), [join(out, 'wg0.conf')]);

  const done = writeClientFiles(out, files(quic));
  assert.equal(done.at(-1), `removed ${join(out, 'wg0.conf')}`);
  assert.equal(confs(), 'wgnet1.conf wgnet2.conf');
  assert.deepEqual(writeClientFiles(out, files(quic)), []);
  assert.deepEqual([endpointIn(out), modeOf(out)], ['198.51.100.11:51820', 'quic']);
  const line = (mode: Mode, more: ModeFlags & { extraVars?: string[] } = {}, check = false) =>
    modeLine(out, mode, { config: 'config.cfg', check, ...more });
  assert.equal(line('quic'), undefined);
  assert.equal(
    line('wireguard'),
    `notice: ${out} held files of mode quic; they are of mode wireguard now (config.cfg; or --mode quic)`,
  );
  const asked = `notice: ${out} holds files of mode quic; they would be of mode wireguard`;
  assert.equal(line('wireguard', { mode: 'wireguard' }, true), asked);
  assert.equal(line('wireguard', { extraVars: ['mode=wireguard'] }, true), asked);
  const place = { inventory: 'my.ini', config: 'config.cfg', out, allowTcp: 'none' as const };
  requireModeOf(place, 'quic');
  assert.equal(
    faultOf(() => requireModeOf(place, 'wireguard')).next,
    `--mode quic, or first npx zx scripts/wgnet-setup.ts -i my.ini -o ${out} --mode wireguard --allow-tcp none and setup.sh on the client`,
  );
  for (const same of [quic, whole, topology([2, 3]), topology([3, 1], COMP)])
    assert.equal(holdsNetworkOf(out, same), true);
  for (const other of [topology([3]), topology([3, 4], COMP)])
    assert.equal(holdsNetworkOf(out, other), false);
  assert.deepEqual(retiredIn(out, topology([2])), [proxy(1)]);

  writeClientFiles(out, files(whole));
  assert.equal(confs(), 'wg0.conf wgnet1.conf wgnet2.conf');
  // With a comp server on both sides it is that which tells, as ever.
  assert.equal(holdsNetworkOf(out, topology([1, 2], { name: 'd', address: '198.51.100.202' })), false);
});

const DROPLETS =
  'vpns: [{name: a, region: nyc1}]\ncomps: [{name: b, region: nyc1}, {name: c, region: nyc1}]\n';

test('droplets: nothing of comps is made, and what is there of them is left alone', () => {
  const { config } = parseConfig(`${NETWORK}mode: quic\n${DROPLETS}`, 'c');
  assert.deepEqual(
    wantedOf(config).map(({ name }) => name),
    ['a'],
  );
  assert.deepEqual(idleOf(config), ['b', 'c']);
  const there = (id: number, name: string) => ({
    ...{
      id,
      name,
      region: 'nyc1',
      size: 's-1vcpu-1gb',
      image: 'ubuntu-24-04-x64',
      status: 'active' as const,
    },
    ...{ tags: ['comps'], created: 1000, address: '192.0.2.7', priceHourly: 0.00893 },
  });
  const plan = planOf(wantedOf(config), [there(1, 'b'), there(2, 'z')], 'comps', []);
  assert.deepEqual([plan.create.length, plan.adopt.length, plan.conflicts.length], [1, 0, 0]);
  const notices = planLines(plan, [], 'comps', new Set(idleOf(config))).slice(-2);
  assert.match(
    notices[0] ?? '',
    /the droplet b in nyc1 \(1\) has no part in mode quic, is left alone, and costs money/,
  );
  assert.match(notices[1] ?? '', /the droplet z in nyc1 \(2\) is not in config\.cfg, and costs money/);
});

test('what a set-up would refuse is foreseen by the mode: no comp server, and no comps, is right in quic alone', () => {
  const options = (config: string, inventory: string, more: ModeFlags & { limit?: string } = {}) => ({
    ...{ config, inventory, out: join(folder, 'none'), check: false, timeout: 5, acceptNew: false },
    ...more,
  });
  const both = file('both.cfg', NETWORK + DROPLETS);
  const vpns = file('vpns.cfg', `${NETWORK}vpns: [{name: a, region: nyc1}]\n`);
  const comps = file('comps.cfg', `${NETWORK}comps: [{name: b, region: nyc1}]\n`);
  const empty = file('empty.ini', '[vpn]\n');
  assert.equal(foresee(options(vpns, empty, { mode: 'quic' })).mode, 'quic');
  assert.equal(foresee(options(both, empty, { mode: 'quic' })).mode, 'quic');
  const refused = (...args: Parameters<typeof options>) => faultOf(() => foresee(options(...args))).message;
  assert.match(refused(vpns, empty), /no group \[comp\]/);
  assert.match(refused(both, empty), /comps has 2 entries/);
  assert.match(refused(comps, empty, { mode: 'quic' }), /names no droplets: vpns is empty$/);
  const inventory = file('hosts.ini', '[vpn]\n192.0.2.1\n192.0.2.2\n[comp]\n192.0.2.9\n');
  const input = (more: ModeFlags & { limit?: string }) => readInput(options(vpns, inventory, more));
  assert.deepEqual(
    input({ mode: 'quic', limit: 'vpn[0]' }).hosts.map(({ name }) => name),
    ['192.0.2.1', '192.0.2.2'],
  );
  assert.deepEqual([input({ mode: 'quic' }).idle, input({}).idle], [['192.0.2.9'], []]);
  assert.match(
    faultOf(() => input({ mode: 'quic', limit: 'comp' })).message,
    /it leaves 192\.0\.2\.9, and none of this network's servers/,
  );
});

test('status: no row of wg0, a client in another mode is told, and the metrics have the mode', async () => {
  const quic = statusOf({
    mode: 'quic',
    servers: [server(0), server(1)],
    client: clientUp((seen) => {
      seen.mode = 'quic';
      seen.links.delete('wg0');
      seen.ends.delete('wg0');
    }),
  });
  assert.deepEqual([quic.well, quic.mode, quic.tunnels.length], [true, 'quic', 2]);
  assert.match(tableLines(quic, 100)[0] ?? '', /client: container wgclient, mode quic, path wgnet2, /);
  assert.match(prometheusText(quic), /^comps_mode\{mode="quic"\} 1$/m);
  assert.match(prometheusText(statusOf()), /^comps_mode\{mode="quic"\} 0$/m);
  const other = statusOf({ mode: 'quic', servers: [server(0), server(1)] });
  assert.deepEqual(other.troubles, [
    {
      kind: 'mode',
      tunnel: null,
      what: 'the client is in mode wireguard, and the network is in mode quic',
      next: 'CLIENT',
    },
  ]);
  assert.equal(other.exitCode, 2);
  // What becomes of TCP, as the rules have it: files that were written since change nothing before setup.sh has run.
  const ofTcp = (there: Tcp, tcp: Tcp) =>
    statusOf({
      ...{ mode: 'quic', tcp, servers: [server(0), server(1)] },
      client: clientUp((seen) => {
        Object.assign(seen, { mode: 'quic', tcp: there });
        seen.links.delete('wg0');
        seen.ends.delete('wg0');
      }),
    });
  assert.deepEqual(ofTcp('none', 'sticky').troubles, [
    {
      kind: 'mode',
      tunnel: null,
      what: 'the client refuses TCP, and the network has allow_tcp: sticky',
      next: 'CLIENT',
    },
  ]);
  assert.deepEqual([ofTcp('sticky', 'none').exitCode, ofTcp('sticky', 'sticky').exitCode], [2, 0]);
});

test('status: files of the other mode are one finding, not one a file', () => {
  const one = (filesMode: Mode, seen: Parameters<typeof statusOf>[0]) => {
    const older = { is: 'older', what: 'Address' } as const;
    const files = new Map<string, FileSeen>([
      ['wg0', { is: 'missing' }],
      ...['wgnet1', 'wgnet2', 'setup.sh'].map((name) => [name, older] as const),
    ]);
    return statusOf({ files, filesMode, ...seen }).troubles.map(({ kind, what, next }) => [kind, what, next]);
  };
  const change = 'SETUP, then CLIENT';
  const inQuic = clientUp((client) => {
    client.mode = 'quic';
    client.links.delete('wg0');
    client.ends.delete('wg0');
  });
  const next = (mode: Mode) => `STATUS ${mode}; or, to change the client’s mode: ${change}`;
  const network = 'and the network is in mode';
  assert.deepEqual(one('quic', { client: inQuic }), [
    ['mode', `the client and its files are in mode quic, ${network} wireguard`, next('quic')],
  ]);
  assert.deepEqual(one('quic', { client: undefined }), [
    ['mode', `the client’s files are in mode quic, ${network} wireguard`, next('quic')],
  ]);
  assert.deepEqual(one('quic', {}), [
    ['mode', `the client’s files are in mode quic, ${network} wireguard`, change],
  ]);
  const quic = { mode: 'quic' as const, servers: [server(0), server(1)] };
  assert.deepEqual(one('wireguard', quic), [
    ['mode', `the client and its files are in mode wireguard, ${network} quic`, next('wireguard')],
  ]);
  // A tunnel that is gone in a client of the right mode is missed as ever.
  const gone = clientUp((client) => client.links.delete('wg0'));
  assert.deepEqual(
    one('wireguard', { client: gone }).map(([kind]) => kind),
    ['files', 'files', 'files', 'missing', 'files'],
  );
});

test('a server that is left out: idle where the other mode has it, else none of the network’s', () => {
  const [idle, retired] = [true, false].map((is) => retiredLine('c', '192.0.2.9', is));
  const end = 'to end it, as root on 192.0.2.9: systemctl disable --now wg-quick@wg0';
  assert.equal(
    idle,
    `notice: c is idle in mode quic; WireGuard goes on running there for mode wireguard; ${end}`,
  );
  assert.match(
    retired ?? '',
    /^notice: c is no server of this network any more, .*; to end it, as root on 192/,
  );
});

test('the client’s mode is read from the rules that the kernel has', async () => {
  const rules = (...lines: string[]) =>
    attempt(['unshare', '-n', 'sh', '-s'], {
      input: [...lines.map((line) => `ip -4 rule add ${line}`), CLIENT_PROBE].join('\n'),
    });
  const first = 'pref 100 fwmark 51821 lookup main';
  for (const [expected, ...lines] of [
    [null],
    [null, first],
    ['quic', first, 'pref 101 not fwmark 51821 lookup 51821'],
    ['wireguard', first, 'pref 101 fwmark 51820 lookup 51821', 'pref 102 not fwmark 51820 lookup 51820'],
  ] as const)
    assert.equal(modeIn((await rules(...lines)).stdout), expected, lines.join('; '));
  for (const [expected, ...lines] of [[false], [true, 'pref 98 fwmark 52001 lookup 52001']] as const)
    assert.equal(/^tcp sticky$/m.test((await rules(...lines)).stdout), expected, lines.join('; '));
});
