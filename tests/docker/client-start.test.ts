import assert from 'node:assert/strict';
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, test } from 'node:test';
import { until } from '../../scripts/lib/poll.ts';
import { goodSetup } from '../lab/fixture.ts';
import { PATIENCE, useEngine } from './fixture.ts';
import { SITE, wgclient } from './wgclient.ts';

const { lab, engine } = useEngine('wgstart', { vpn: 2 }, (lab) => goodSetup(lab));
const { ask, compose, healthy, inspect, leaksDuring, logs, probe, sh, trySh } = wgclient(lab, engine);

/** An empty folder of this file's own beside the lab's files. */
const scratch = (name: string): string => {
  const folder = join(lab().directory, name);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder);
  return folder;
};

const docker = (...words: string[]) => engine().exec(['docker', ...words]);
/** Starts the container by hand, beside docker-compose. */
const run = (...words: string[]) => docker('run', '-d', '--name', 'wgclient', ...words, 'comps-client');
const spoke = async (pattern: RegExp): Promise<void> => {
  await until(PATIENCE, async () => pattern.test(await logs()));
  assert.match(await logs(), pattern);
};

afterEach(async () => {
  await compose(['down', '-t', '1']);
  await docker('rm', '-f', 'wgclient');
  await docker('network', 'rm', 'other');
});

test('the probes see a network that stays open, before anything is set up', async () => {
  const override = join(lab().directory, 'open.yml');
  writeFileSync(override, 'services: {wgclient: {command: [sleep, infinity]}}\n');
  const leaked = await leaksDuring('open', async () => {
    await compose(['-f', 'docker-compose.yml', '-f', override, 'up', '-d']);
    await probe();
  });
  assert.ok(leaked > 0);
});

test('no client files yet: one line with the next command, no loop, and closed meanwhile', async () => {
  const files = scratch('none-yet');
  const leaked = await leaksDuring('no-files', async () => {
    const { code, stderr } = await compose(['up', '-d'], files);
    assert.equal(code, 0, stderr);
    await spoke(/^wgclient: no client files .*; next: npx zx scripts\/wgnet-setup\.ts[^\n]*\n$/);
    assert.match((await trySh('comps-health')).stdout, /no client files yet/);
    assert.equal(await ask('127.0.0.11'), 'ECONNREFUSED');
    await probe();
  });
  assert.equal(leaked, 0);
  assert.equal(await inspect('{{.RestartCount}} {{.State.Running}}'), '0 true');
  // They come, and it goes on by itself.
  cpSync(lab().clientDirectory, files, { recursive: true });
  assert.ok(await healthy(), await logs());
  assert.equal(await inspect('{{.RestartCount}}'), '0');
});

test('mode quic: healthy without wg0; UDP goes by the current path, TCP is refused, and the log says so once; closed', async () => {
  const files = scratch('quic');
  cpSync(lab().clientDirectory, files, { recursive: true });
  await goodSetup(lab(), '--mode', 'quic', '-o', files);
  const leaked = await leaksDuring('quic', async () => {
    const { code, stderr } = await compose(['up', '-d'], files);
    assert.equal(code, 0, stderr);
    assert.ok(await healthy(), await logs());
    assert.equal(
      (await logs()).match(/mode quic: TCP is refused[^\n]*; next[^\n]*allow_tcp: sticky/g)?.length,
      1,
    );
    assert.equal(
      await sh('comps-health; ls /sys/class/net | grep -c ^wg'),
      'every tunnel has a handshake\n2',
    );
    assert.equal(await ask('203.0.113.53'), SITE);
    assert.match(await sh('curl --http3-only -sSk -m 60 https://quic.example.org/'), /<h1>/);
    const { code: refused, stderr: said } = await trySh(`curl -sS -m 60 http://${SITE}/ip`);
    assert.equal(refused, 7, said);
    await probe();
  });
  assert.equal(leaked, 0);
  const asked = readFileSync(join(lab().directory, 'site', 'dns.log'), 'utf8');
  assert.equal(/.*query\[A\] www\.example\.org from (\S+)/s.exec(asked)?.[1], lab().addressOf('vpn1'));
});

/** Waits until comps-client has looked at its tunnels: before and after a look it sleeps, each time in another process. */
async function looked(): Promise<void> {
  let [before, now] = ['', ''];
  await until(PATIENCE, async () => {
    now = (await trySh('pgrep -x sleep')).stdout.trim();
    before ||= now;
    return !['', before].includes(now);
  });
  assert.ok(now !== before);
}

test('files of another set-up are taken when setup.sh is run, and no sooner; only a tunnel that is lost is brought back', async () => {
  const files = scratch('another');
  cpSync(lab().clientDirectory, files, { recursive: true });
  const { code, stderr } = await compose(['up', '-d'], files);
  assert.equal(code, 0, stderr);
  assert.ok(await healthy(), await logs());
  const tunnels = () => sh('ls /sys/class/net | grep ^wg | xargs');
  assert.equal(await tunnels(), 'wg0 wgnet1 wgnet2');
  const leaked = await leaksDuring('another', async () => {
    await goodSetup(lab(), '--mode', 'quic', '-o', files);
    await looked();
    assert.equal(await tunnels(), 'wg0 wgnet1 wgnet2');
    await sh('/etc/wireguard/setup.sh');
    await looked();
    assert.equal(await tunnels(), 'wgnet1 wgnet2');
    // The files alone name one more again.
    cpSync(lab().clientDirectory, files, { recursive: true });
    await looked();
    assert.equal(await tunnels(), 'wgnet1 wgnet2');
    await sh('/etc/wireguard/setup.sh');
    await looked();
    assert.doesNotMatch(await logs(), /a tunnel is gone/);
    await sh('ip link delete wg0');
    await spoke(/a tunnel is gone/);
    await until(PATIENCE, async () => (await tunnels()) === 'wg0 wgnet1 wgnet2');
  });
  assert.equal(leaked, 0);
});

test('no /dev/net/tun and no WireGuard in the kernel: one line with the next command, no loop', async () => {
  const override = join(lab().directory, 'override.yml');
  writeFileSync(override, `services: {wgclient: {volumes: ["${scratch('no-tun')}:/dev/net"]}}\n`);
  await compose(['-f', 'docker-compose.yml', '-f', override, 'up', '-d']);
  await spoke(
    /^wgclient: no WireGuard in the kernel, and no \/dev\/net\/tun[^\n]*next, on the host: [^\n]*\n$/,
  );
  assert.equal(await inspect('{{.RestartCount}} {{.State.Running}}'), '0 true');
});

test('a folder of client files that is not there: refused by docker-compose itself, nothing runs', async () => {
  const { code, stderr } = await compose(['up', '-d'], '/nowhere/at/all');
  assert.notEqual(code, 0);
  assert.match(stderr, /nowhere/);
});

for (const [what, breakIt] of [
  ['an empty setup.sh', (files: string) => writeFileSync(join(files, 'setup.sh'), '')],
  ['half a setup.sh', (files: string) => writeFileSync(join(files, 'setup.sh'), 'up() {\n')],
  ['a tunnel whose file is missing', (files: string) => rmSync(join(files, 'wgnet2.conf'))],
  [
    'a key that is none',
    (files: string) => writeFileSync(join(files, 'wgnet1.conf'), '[Interface]\nPrivateKey = x\n'),
  ],
] as const)
  test(`${what}: said with the next command, unhealthy, closed, tried again until it is mended`, async () => {
    const files = scratch('broken');
    cpSync(lab().clientDirectory, files, { recursive: true });
    breakIt(files);
    const leaked = await leaksDuring('broken', async () => {
      await compose(['up', '-d'], files);
      await spoke(/^wgclient: [\s\S]+; next: npx zx scripts\/wgnet-setup\.ts[^\n]*\n$/);
      assert.doesNotMatch(await logs(), /│|all traffic goes/);
      assert.notEqual((await trySh('comps-health')).code, 0);
      await probe();
    });
    assert.equal(leaked, 0);
    cpSync(lab().clientDirectory, files, { recursive: true });
    assert.ok(await healthy(), await logs());
    assert.equal(await sh(`curl -sS -m 60 http://${SITE}/ip`), lab().addressOf('comp1'));
  });

test('where nftables does not work it has no interface but lo; without NET_ADMIN it does not run', async () => {
  await docker('network', 'create', 'other');
  const words = ['--network', 'other', '-v', '/bin/false:/usr/sbin/nft:ro'];
  // That the network is one that leads out.
  const open = await docker(
    'run',
    '--rm',
    ...words,
    'comps-client',
    'curl',
    '-sS',
    '-m',
    '60',
    `http://${SITE}/ip`,
  );
  assert.equal(open.stdout.trim(), lab().addressOf('engine'));
  await run(...words, '--cap-add', 'NET_ADMIN');
  await spoke(/^wgclient: cannot close its network with nftables[^\n]*; next, on the host: [^\n]*\n$/);
  assert.notEqual((await trySh(`curl -sS -m 60 http://${SITE}/ip`)).code, 0);
  await docker('rm', '-f', 'wgclient');
  await run('--network', 'other');
  await spoke(/^wgclient: may not configure its network[^\n]*; next: [^\n]*\n$/);
  assert.ok(
    await until(
      PATIENCE,
      async () => (await inspect('{{.State.Running}} {{.State.ExitCode}}')) === 'false 1',
    ),
  );
});
