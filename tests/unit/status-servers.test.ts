/** Servers asked again and again: their connections, and what becomes of one that is lost. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EXIT, Fault } from '../../scripts/lib/cli.ts';
import type { Member } from '../../scripts/lib/steps/set-up-servers.ts';
import { Servers } from '../../scripts/lib/steps/status-servers.ts';
import type { Transport } from '../../scripts/lib/transport/transport.ts';
import { topology } from '../status-seen.ts';

const gone = (what: string): Fault => new Fault({ what, code: EXIT.unreachable });

/** A server by name, its answers and connections in this test's hand; all that is sent to it. */
function fakeServer(name: string) {
  const [tunnel] = topology.paths;
  const fake = {
    member: { name, tunnel, unresolved: undefined, key: undefined } as unknown as Member,
    scripts: [] as string[],
    connections: 0,
    /** Why there is no connection to be had, or the one that is open is lost. */
    away: undefined as string | undefined,
    lost: undefined as string | undefined,
    answer: undefined as Promise<void> | undefined,
    connect: async (): Promise<Transport> => {
      if (fake.away !== undefined) throw gone(fake.away);
      fake.connections += 1;
      return { run, close: () => {} };
    },
  };
  async function run(script: string) {
    fake.scripts.push(script);
    await fake.answer;
    const lost = fake.lost;
    fake.lost = undefined;
    if (lost !== undefined) throw gone(lost);
    // Each piece as on a machine with nothing, but for the facts.
    const marker = /echo '(\S+) begin 0'/.exec(script)?.[1] ?? '';
    // Each piece is begun on both outputs.
    const pieces = (script.split(`echo '${marker} begin `).length - 1) / 2;
    const facts =
      'id=debian\nversion=13\nos=Debian 13\nuid=0\napt=yes\nsystemd=yes\negress=ens3\nwireguard=yes';
    const own = 'interface wg0 SERVER= 51820\npeer wg0 CLIENT= 192.0.2.2:4000 12 5 6';
    const texts = Array.from({ length: pieces }, (_, i) => (i === 1 ? facts : i === pieces - 1 ? own : ''));
    const frame = (text: string, i: number) => `\n${marker} begin ${i}\n${text}\n${marker} end ${i} 0\n`;
    const empty = texts.map((_, i) => frame('', i)).join('');
    return { code: 0, stdout: texts.map(frame).join(''), stderr: empty };
  }
  return fake;
}

function watched(...fakes: ReturnType<typeof fakeServer>[]) {
  let time = 0;
  const servers = new Servers(
    fakes.map(({ member }) => member),
    {
      connect: (member) =>
        fakes.find((fake) => fake.member === member)?.connect() ?? Promise.reject(gone('')),
      // One that is never content.
      tasksFor: (_, clientKey) => [
        {
          name: 'peer',
          probe: 'wg show wg0 peers',
          judge: () => ({ changes: [{ line: `add ${clientKey}`, shell: 'wg set wg0' }] }),
        },
      ],
      now: () => time,
    },
  );
  const pass = (ms: number): void => {
    time += ms;
  };
  return { servers, pass };
}

test('one round trip a server and round, over one connection, and nothing but probes is sent', async () => {
  const fakes = [fakeServer('a'), fakeServer('b')] as const;
  const { servers } = watched(...fakes);
  await servers.read();
  const [a, b] = await servers.read(undefined, () => 'KEY=');
  for (const { scripts, connections } of fakes) {
    assert.deepEqual([scripts.length, connections], [2, 1]);
    for (const script of scripts) assert.doesNotMatch(script, /flock -n -x|wg set/);
  }
  assert.equal(b?.name, 'b');
  assert.deepEqual(a?.end?.peers, [
    { publicKey: 'CLIENT=', endpoint: '192.0.2.2:4000', handshakeAge: 12, received: 5, sent: 6 },
  ]);
  assert.deepEqual(a?.drift, ['peer: add KEY=']);
  assert.equal(a?.clientKey, 'KEY=');
});

test('a connection that is lost between two rounds is made again in the same round', async () => {
  const fake = fakeServer('a');
  const { servers } = watched(fake);
  await servers.read();
  fake.lost = 'reset';
  const [seen] = await servers.read();
  assert.deepEqual([seen?.unreachable, fake.connections], [undefined, 2]);
});

test('a server that is away is tried with growing pauses, told of with its reason, and holds up nobody', async () => {
  const [away, there] = [fakeServer('away'), fakeServer('there')];
  const { servers, pass } = watched(away, there);
  away.away = 'no route';
  let tries = 0;
  const connect = away.connect;
  away.connect = () => {
    tries += 1;
    return connect();
  };
  const counts: number[] = [];
  // One round a second, for 20 s.
  for (let i = 0; i < 20; i++, pass(1000)) {
    const [first, second] = await servers.read();
    assert.match(first?.unreachable?.message ?? '', /no route/);
    assert.equal(second?.unreachable, undefined);
    counts.push(tries);
  }
  assert.deepEqual([counts[0], counts[1], counts[2], counts[3], counts[19]], [1, 2, 2, 3, 5]);
  away.away = undefined;
  pass(60_000);
  assert.equal((await servers.read())[0]?.unreachable, undefined);
});

test('one that hangs is told of in time, and asked once only', async () => {
  const fake = fakeServer('a');
  const { servers } = watched(fake);
  let release = (): void => {};
  fake.answer = new Promise((resolve) => {
    release = resolve;
  });
  for (let i = 0; i < 2; i++) {
    const [seen] = await servers.read(0.02);
    assert.match(seen?.unreachable?.message ?? '', /^a: no answer in 0\.02 s \(reading its state\)$/);
  }
  assert.equal(fake.scripts.length, 1);
  release();
  assert.equal((await servers.read())[0]?.unreachable, undefined);
});
