import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server as NetServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import ssh2 from 'ssh2';
import { EXIT, Fault } from '../../scripts/lib/cli.ts';
import { quoteAll } from '../../scripts/lib/shell.ts';
import { meetStrangers } from '../../scripts/lib/transport/first-use.ts';
import { newHostKey } from '../../scripts/lib/transport/host-key.ts';
import { attempt } from '../../scripts/lib/transport/local.ts';
import { loginOf } from '../../scripts/lib/transport/login.ts';
import { bundleOf } from '../bundle.ts';

const home = mkdtempSync(join(tmpdir(), 'comps-first-use-'));
const open: { close: () => void }[] = [];
after(() => {
  for (const one of open) one.close();
  rmSync(home, { recursive: true });
});
// Nobody's own known_hosts plays a part.
process.env.HOME = home;
delete process.env.SSH_AUTH_SOCK;
process.env.NO_COLOR = '1';

interface Server {
  name: string;
  address: string;
  port: number;
  user: string;
  line: number;
  /** `ssh-ed25519 AAAA…` */
  publicKey: string;
  /** As ssh-keygen prints it. */
  print: string;
  connections: number;
  logins: number;
}

const listening = (server: NetServer | ssh2.Server, address: string): Promise<number> =>
  new Promise((resolve) => {
    open.push(server);
    server.listen(0, address, () => resolve((server.address() as { port: number }).port));
  });

/** A server that nobody can log in to; each has an address of its own. */
async function sshServer(i: number): Promise<Server> {
  const { privateKey, publicKey } = newHostKey();
  const file = join(home, `host${i}.pub`);
  writeFileSync(file, publicKey);
  const print = execFileSync('ssh-keygen', ['-lf', file], { encoding: 'utf8' }).split(' ')[1] ?? '';
  const address = `127.0.7.${i}`;
  const one = {
    name: `vpn${i}`,
    address,
    port: 0,
    user: 'root',
    line: i,
    publicKey,
    print,
    connections: 0,
    logins: 0,
  };
  one.port = await listening(
    new ssh2.Server({ hostKeys: [privateKey] }, (client) => {
      one.connections++;
      client.on('error', () => {});
      client.on('authentication', (login) => {
        one.logins++;
        login.reject(['publickey']);
      });
    }),
    address,
  );
  return one;
}

const servers = await Promise.all([1, 2, 3].map(sshServer));
const [one, two, three] = servers as [Server, Server, Server];

/** A folder of a test's own, with what known_hosts in it is to hold. */
function place(known = ''): { inventory: string; known: () => string | undefined } {
  const folder = mkdtempSync(join(home, 'p-'));
  const file = join(folder, 'known_hosts');
  if (known !== '') writeFileSync(file, known);
  return {
    inventory: join(folder, 'hosts.ini'),
    known: () => (existsSync(file) ? readFileSync(file, 'utf8') : undefined),
  };
}

/** Meets these servers; what was asked. */
async function meet(
  inventory: string,
  hosts: readonly Server[],
  { answer = true, timeout = 5, acceptNew = false, there = true } = {},
): Promise<string[]> {
  const asked: string[] = [];
  await meetStrangers(
    hosts,
    { inventory, acceptNew, timeout },
    {
      canAsk: () => there,
      confirm: async (question) => {
        asked.push(question);
        return answer;
      },
    },
  );
  return asked;
}

const pinOf = ({ address, port, publicKey, name }: Server): string =>
  `[${address}]:${port} ${publicKey.trim()} ${name}\n`;

test('all hosts never seen are shown in one question, nobody logs in, and just their keys are remembered', async () => {
  const { inventory, known } = place('# mine\n');
  const asked = await meet(inventory, servers);
  assert.deepEqual(asked, [
    `Hosts never seen before:\n${servers
      .map(({ name, address, port, print }) => `  ${name} (${address} port ${port}): ssh-ed25519 ${print}\n`)
      .join('')}Are these the fingerprints that your provider shows?`,
  ]);
  assert.equal(known(), `# mine\n${servers.map(pinOf).join('')}`);
  for (const { logins } of servers) assert.equal(logins, 0);
  // They are known now, to the connection proper too.
  assert.deepEqual(await meet(inventory, servers), []);
  const { known: keys } = loginOf(one, { inventory, acceptNew: false, timeout: 5 });
  assert.equal(keys.map(({ type, key }) => `${type} ${key}`).join(), one.publicKey.trim());
});

test('no: refused, with what to compare, and nothing is written', async () => {
  const { inventory, known } = place();
  await assert.rejects(meet(inventory, [one], { answer: false }), (error: unknown) => {
    assert.ok(error instanceof Fault);
    assert.equal(error.code, EXIT.refused);
    assert.match(error.message, /the host key was not confirmed, and nothing was changed/);
    assert.match(error.next ?? '', /ssh-keygen -lf/);
    return true;
  });
  assert.equal(known(), undefined);
});

test('hosts that are known, changed, revoked or do not answer are none to ask about', async () => {
  const closed = createServer();
  const port = await listening(closed, '127.0.7.9');
  await new Promise((resolve) => closed.close(resolve));
  const silent = createServer(() => {});
  const quiet = { ...one, name: 'quiet', address: '127.0.7.8', port: await listening(silent, '127.0.7.8') };
  const [, revoked = ''] = three.publicKey.split(' ');
  const text = `${pinOf(one)}[${two.address}]:${two.port} ${one.publicKey.trim()}\n@revoked [${three.address}]:${three.port} ssh-ed25519 ${revoked}\n`;
  const { inventory, known } = place(text);
  const hosts = [...servers, { ...one, name: 'closed', address: '127.0.7.9', port }, quiet];
  assert.deepEqual(await meet(inventory, hosts, { timeout: 1 }), []);
  assert.equal(known(), text);
});

test('where nobody can be asked, or new keys are taken unasked, nobody is connected to', async () => {
  const { inventory, known } = place();
  const before = one.connections;
  assert.deepEqual(await meet(inventory, [one], { there: false }), []);
  assert.deepEqual(await meet(inventory, [one], { acceptNew: true }), []);
  assert.equal(one.connections, before);
  assert.equal(known(), undefined);
});

/** A set-up of the three servers, with the words of its command line. */
function setUpWords(): { words: string[]; known: () => string | undefined; out: string } {
  const { inventory, known } = place();
  const lineOf = ({ name, address, port }: Server): string =>
    `${name} ansible_host=${address} ansible_port=${port}`;
  writeFileSync(inventory, `[vpn]\n${lineOf(one)}\n${lineOf(two)}\n[comp]\n${lineOf(three)}\n`);
  const config = `${inventory}.cfg`;
  writeFileSync(config, 'wireguard_subnet: 10.45.0\nwireguard_gateway_address: 10.45.0.2/32\n');
  const out = `${inventory}.out`;
  const flags = ['-i', inventory, '-c', config, '-o', out];
  return { words: [process.execPath, ...bundleOf('wgnet-setup'), ...flags], known, out };
}

/**
 * Runs a command on a terminal of its own, with somebody who types once they are asked. In the shell's place: dash would
 * end by Ctrl-C in its own way beside it.
 */
function onTerminal(words: readonly string[], typed: string): Promise<{ code: number | null; text: string }> {
  return new Promise((resolve) => {
    const terminal = spawn('script', ['-qec', `exec ${quoteAll(words)}`, '/dev/null'], {
      stdio: ['pipe', 'pipe', 'ignore'],
    });
    let text = '';
    let asked = false;
    terminal.stdout.setEncoding('utf8').on('data', (piece: string) => {
      text += piece;
      if (asked || !text.includes('[y/N]')) return;
      asked = true;
      terminal.stdin.write(typed);
    });
    terminal.on('close', (code) => resolve({ code, text }));
  });
}

test('on a terminal, yes: the keys are remembered, and the set-up goes on', async () => {
  const { words, known } = setUpWords();
  const { code, text } = await onTerminal(words, 'yes\n');
  assert.match(text, /never seen before/);
  for (const { print, name } of servers) {
    assert.ok(text.includes(print), text);
    assert.match(text, new RegExp(`unreachable: \\[${name}\\] .*login refused`));
  }
  assert.equal(code, EXIT.unreachable);
  assert.equal(known(), servers.map(pinOf).join(''));
});

for (const [name, typed, exit] of [
  ['Enter', '\n', EXIT.refused],
  ['no', 'no\n', EXIT.refused],
  ['the end of the input', '\u0004', EXIT.refused],
  ['Ctrl-C', '\u0003', EXIT.interrupted],
] as const)
  test(`on a terminal, ${name}: exit ${exit}, nobody is logged in to, and nothing is written`, async () => {
    const { words, known, out } = setUpWords();
    const before = servers.map(({ logins }) => logins);
    const { code, text } = await onTerminal(words, typed);
    assert.equal(code, exit, text);
    assert.match(text, exit === EXIT.refused ? /not confirmed, and nothing was changed/ : /SIGINT: stopping/);
    assert.equal(known(), undefined);
    assert.equal(existsSync(out), false);
    assert.deepEqual(
      servers.map(({ logins }) => logins),
      before,
    );
  });

test('without a terminal nothing is asked: refused with fingerprint and hint, or taken with --accept-new', async () => {
  const { words, known } = setUpWords();
  const refused = await attempt(words);
  assert.equal(refused.code, EXIT.unreachable);
  assert.doesNotMatch(refused.stdout + refused.stderr, /never seen before/);
  for (const { print, name } of servers)
    assert.ok(
      refused.stdout
        .split('\n')
        .some((line) => line.includes(`[${name}]`) && line.includes(`${print} is not known yet`)),
      refused.stdout,
    );
  assert.match(refused.stdout, /next: compare that fingerprint .* --accept-new/);
  assert.equal(known(), undefined);

  const taken = await attempt([...words, '--accept-new']);
  assert.match(taken.stdout, /login refused/);
  assert.equal(known()?.trim().split('\n').length, 3);
});
