import assert from 'node:assert/strict';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { requireSpace, untilThere } from '../../client/scripts/lib/collect/collect.ts';
import { difference, modeChange, Present, tcpChange } from '../../client/scripts/lib/collect/present.ts';
import { unfit } from '../../client/scripts/lib/collect/profile.ts';
import { type Tunnel, tunnelsIn } from '../../client/scripts/lib/collect/tunnels.ts';

const folder = mkdtempSync(join(tmpdir(), 'comps-present-'));
after(() => rmSync(folder, { recursive: true }));

const rule = (priority: number, fwmark: number, table: number | string, not?: null) => ({
  ...{ priority, src: 'all', fwmark: `0x${fwmark.toString(16)}`, table: String(table) },
  ...(not === null && { not }),
});
const RULES = {
  wireguard: JSON.stringify([rule(101, 51820, 51821), rule(102, 51820, 51820, null)]),
  quic: JSON.stringify([rule(101, 51821, 51821, null)]),
  sticky: JSON.stringify([rule(98, 52001, 52001), rule(101, 51821, 51821, null)]),
  // `down` takes away what makes TCP sticky before the rest.
  none: '[]',
};
const WIREGUARD = { mode: 'wireguard', tcp: 'none' } as const;
const STICKY = { mode: 'quic', tcp: 'sticky' } as const;

const made = (n: number, more: Partial<Tunnel> = {}): Tunnel => ({
  ...{ interface: `wgnet${n}`, client_address: `10.46.0.${n + 4}`, endpoint: `192.0.2.${n + 10}:51820` },
  ...{ mtu: 1300, ...more },
});
const TWO = [made(1), made(2)];

test('a client in another mode than the run began in, or with another allow_tcp, is told from one that is down', () => {
  assert.match(
    modeChange(WIREGUARD, RULES.quic)?.message ?? '',
    /was in mode wireguard .*is in mode quic now/,
  );
  assert.match(modeChange(STICKY, RULES.wireguard)?.next ?? '', /--mode quic, then .*setup\.sh/);
  for (const rules of [RULES.wireguard, RULES.none]) assert.equal(modeChange(WIREGUARD, rules), undefined);
  for (const rules of [RULES.quic, RULES.sticky]) assert.equal(modeChange(STICKY, rules), undefined);
  assert.match(tcpChange(STICKY, RULES.quic)?.message ?? '', /allow_tcp was sticky .*is none now/);
  for (const rules of [RULES.sticky, RULES.none, RULES.wireguard])
    assert.equal(tcpChange(STICKY, rules), undefined);
  assert.equal(tcpChange(WIREGUARD, RULES.wireguard), undefined);
});

test('the facts of tunnels, without those that are not set up', () => {
  const link = (name: string, address: object[]) => ({ ifname: name, mtu: 1420, addr_info: address });
  const inet = { family: 'inet', local: '10.45.0.5', scope: 'global' };
  const links = [
    {},
    link('wgnet1', [{ ...inet, family: 'inet6', local: 'fd00::5' }, inet]),
    link('wgnet2', []),
  ];
  const endpoints = 'wgnet1\tkey=\t192.0.2.11:51820\nwgnet2\tkey=\t192.0.2.12:51820\n';
  const found = { interface: 'wgnet1', client_address: '10.45.0.5', endpoint: '192.0.2.11:51820', mtu: 1420 };
  const names = ['wgnet1', 'wgnet2', 'wgnet3'];
  assert.deepEqual(tunnelsIn(names, JSON.stringify(links), endpoints), [found]);
  assert.deepEqual(tunnelsIn(names, JSON.stringify(links), 'wgnet1\tkey=\t(none)\n'), []);
});

test('how tunnels are others, in words', () => {
  assert.equal(difference(TWO, structuredClone(TWO)), undefined);
  const other = { mtu: 1420, client_address: '10.45.0.5' };
  assert.equal(
    difference(TWO, [made(1, other), made(2)]),
    'wgnet1: address 10.45.0.5, was 10.46.0.5; wgnet1: MTU 1420, was 1300',
  );
  const many = [1, 2, 3, 4, 5, 6].map((n) => made(n));
  const moved = many.map((each) => ({ ...each, endpoint: '192.0.2.9:1' }));
  assert.match(difference(many, moved) ?? '', /wgnet4: endpoint 192\.0\.2\.9:1, was \S+; and 2 more$/);
});

/** A wait for tunnels: what is there at each look, and who is silent at each probing; what came of it. */
async function waited(looks: readonly Tunnel[][], silences: readonly string[][], fresh = true) {
  const said: string[] = [];
  let [look, probings, known] = [0, 0, fresh];
  const present = new Present(WIREGUARD, TWO, {
    rules: () => RULES.wireguard,
    tunnels: () => looks[Math.min(look++, looks.length - 1)] ?? [],
  });
  const probe = {
    goodFor: () => (known ? 0 : Number.POSITIVE_INFINITY),
    forget: () => {
      known = false;
    },
    silent: async () => {
      const silent = silences[probings++] ?? [];
      known = silent.length === 0;
      return silent;
    },
  };
  const others = (now: readonly Tunnel[], words: string) => said.push(`${now.length} tunnels: ${words}`);
  const progress = { say: (text: string) => said.push(text) };
  const run = { present, others, probe, progress, patience: 5 };
  return { tunnels: await untilThere(run, new AbortController().signal), said, probings };
}

test('a visit gets the tunnels as they are: changed ones are told, and asked anew', async () => {
  assert.deepEqual(await waited([TWO], []), { tunnels: TWO, said: [], probings: 0 });
  const now = [made(1, { mtu: 1420 }), made(2)];
  const said = ['2 tunnels: wgnet1: MTU 1420, was 1300'];
  assert.deepEqual(await waited([now], []), { tunnels: now, said, probings: 1 });
  // What answered before is another machine by now, and that one is waited for.
  const { said: words, ...rest } = await waited([now], [['wgnet1']]);
  assert.deepEqual(rest, { tunnels: now, probings: 2 });
  assert.match(words.join('\n'), /^2 tunnels: .*\nwgnet1 does not answer; waiting for it/);
});

test('a tunnel that is missing for the moment is waited for, and no change', async () => {
  const { tunnels, said, probings } = await waited([[made(1)], TWO], []);
  assert.deepEqual([tunnels, probings], [TWO, 1]);
  assert.deepEqual(said, ['wgnet2 does not answer; waiting for it, for 5 s at most']);
});

test('a run’s folder that has gone is told; scratch that has gone is made anew, for others to pass through', () => {
  const [run, scratch] = [join(folder, 'run'), join(folder, 'scratch')];
  assert.throws(() => requireSpace(run, scratch, 0), {
    name: 'Fault',
    message: /^\S+\/run: ENOENT/,
    code: 2,
  });
  assert.equal(existsSync(run), false);
  mkdirSync(run);
  requireSpace(run, scratch, 0);
  assert.equal(statSync(scratch).mode & 0o777, 0o711);
});

test('--min-free is for what is kept; scratch needs less', () => {
  assert.throws(() => requireSpace(folder, join(folder, 'scratch'), 1e18), {
    message: `${folder}: less than 1000000000000 MB are free`,
    next: 'make room (or --min-free), then the same command again',
  });
  // Where all is in scratch, it is no more than that either.
  requireSpace(join(folder, 'scratch'), join(folder, 'scratch'), 1e18);
});

test('which TMPDIR is no place for scratch', () => {
  assert.equal(unfit('/tmp', true), undefined);
  assert.match(unfit('/none', false) ?? '', /no such folder/);
  assert.match(unfit('tmp', false) ?? '', /no such folder/);
  assert.match(unfit(folder, false) ?? '', /characters/);
  const place = mkdtempSync('/tmp/c-');
  try {
    assert.match(unfit(place, true) ?? '', /may not pass/);
    assert.equal(unfit(place, false), undefined);
    chmodSync(place, 0o711);
    assert.equal(unfit(place, true), undefined);
  } finally {
    rmSync(place, { recursive: true });
  }
});
