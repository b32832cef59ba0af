import assert from 'node:assert/strict';
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, beforeEach, test } from 'node:test';
import { typed } from '../../scripts/lib/ask.ts';
import { Fault } from '../../scripts/lib/cli.ts';
import { until } from '../../scripts/lib/poll.ts';
import { hearLines } from '../../scripts/lib/progress.ts';
import { agentKeys, SilentAgent } from '../../scripts/lib/transport/key-ring.ts';
import { loginOf } from '../../scripts/lib/transport/login.ts';
import type { LoginTarget, SshSettings } from '../../scripts/lib/transport/login-target.ts';
import { connectSsh } from '../../scripts/lib/transport/ssh.ts';
import { unlockKeys } from '../../scripts/lib/transport/unlock.ts';
import { blobOf, hostKey, sshServer, targetAt } from './ssh-server.ts';

const home = mkdtempSync(join(tmpdir(), 'comps-keys-'));
const agents: ChildProcess[] = [];
after(() => {
  for (const agent of agents) agent.kill();
  rmSync(home, { recursive: true });
});
process.env.HOME = home;
mkdirSync(join(home, '.ssh'));
beforeEach(() => {
  delete process.env.SSH_AUTH_SOCK;
});

interface Key {
  file: string;
  publicKey: string;
}

let keys = 0;
function newKey({ type = 'ed25519', passphrase = '', file = join(home, `key${keys++}`) } = {}): Key {
  // Few rounds: it is not the key's strength that is tried here.
  execFileSync('ssh-keygen', ['-q', '-t', type, '-a', '1', '-N', passphrase, '-f', file]);
  return { file, publicKey: readFileSync(`${file}.pub`, 'utf8') };
}

async function agentWith(held: readonly Key[]): Promise<string> {
  const socket = join(home, `agent${agents.length}`);
  agents.push(spawn('ssh-agent', ['-D', '-a', socket], { stdio: 'ignore' }));
  assert.ok(await until(60_000, () => existsSync(socket)));
  const env = { ...process.env, SSH_AUTH_SOCK: socket };
  if (held.length > 0)
    execFileSync('ssh-add', ['-q', ...held.map(({ file }) => file)], { env, stdio: 'ignore' });
  return socket;
}

const inventory = join(home, 'hosts.ini');
const settings = { inventory, acceptNew: false, timeout: 5 };
const ssh = (more: Partial<SshSettings>): SshSettings => ({ identitiesOnly: false, jumps: [], ...more });

async function connect(port: number, more: Partial<LoginTarget> = {}): Promise<void> {
  const target = { ...targetAt(port), line: 4, ...more };
  writeFileSync(join(home, 'known_hosts'), `[127.0.0.1]:${port} ${hostKey.publicKey}\n`);
  (await connectSsh(target, loginOf(target, settings))).close();
}

const offered = (list: readonly Key[]): string[] =>
  list.map(({ publicKey }) => blobOf(publicKey).toString('base64'));

/** Asks on a terminal that answers with these. */
function person(...answers: (string | undefined)[]) {
  const asked: string[] = [];
  return {
    asked,
    canAsk: () => true,
    askSecret: async (question: string) => {
      asked.push(question);
      return answers[asked.length - 1];
    },
  };
}
const nobody = { canAsk: () => false, askSecret: async () => assert.fail('nobody is there') };

test('of an agent with many keys the named one goes first, so that the server does not hang up', async () => {
  const held = Array.from({ length: 8 }, (_, i) => newKey({ type: i === 7 ? 'ecdsa' : 'ed25519' }));
  const last = held[7] as Key;
  process.env.SSH_AUTH_SOCK = await agentWith(held);
  const server = await sshServer({ users: [last.publicKey], maxTries: 6 });
  await assert.rejects(connect(server.port), /vpn1 \(root@127\.0\.0\.1 port \d+\): /);
  assert.equal(server.offered.length, 6);

  server.offered.length = 0;
  // By its private file, and by its public one with nothing else to be offered.
  await connect(server.port, { privateKeyFile: last.file });
  rmSync(last.file);
  await connect(server.port, { ssh: ssh({ identityFiles: [last.file] }) });
  await connect(server.port, { ssh: ssh({ identityFiles: [`${last.file}.pub`], identitiesOnly: true }) });
  assert.deepEqual(server.offered, offered([last, last, last]));

  server.offered.length = 0;
  const other = newKey();
  await assert.rejects(
    connect(server.port, { ssh: ssh({ identityFiles: [other.file], identitiesOnly: true }) }),
  );
  assert.deepEqual(server.offered, offered([other]));
});

test('an agent that does not answer: the key files are enough, and without one it is said', async () => {
  const key = newKey();
  const server = await sshServer({ users: [key.publicKey] });
  const gone = ssh({ agent: join(home, 'no-agent') });
  await connect(server.port, { privateKeyFile: key.file, ssh: gone });
  await assert.rejects(connect(server.port, { ssh: gone }), /ssh-agent does not answer/);
  await assert.rejects(connect(server.port, { ssh: ssh({ agent: 'none' }) }), /offered: no key at all/);
});

test('an agent that takes questions and says nothing costs no login its time, and is told of once', async (t) => {
  const socket = join(home, 'silent-agent');
  const taken = new Set<Socket>();
  const agent = createServer((one) => taken.add(one));
  await new Promise<void>((resolve) => agent.listen(socket, resolve));
  const lines: string[] = [];
  const deafen = hearLines((line) => lines.push(line));
  t.after(() => {
    deafen();
    for (const one of taken) one.destroy();
    agent.close();
  });
  await assert.rejects(agentKeys(socket, 20), SilentAgent);
  assert.equal(taken.size, 1);

  const key = newKey();
  const server = await sshServer({ users: [key.publicKey] });
  const host = { ...targetAt(server.port), line: 1, privateKeyFile: key.file, ssh: ssh({ agent: socket }) };
  await unlockKeys([host], settings, nobody);
  await unlockKeys([host], settings, nobody);
  await connect(server.port, host);
  assert.equal(taken.size, 1, 'it was not asked again');
  assert.equal(lines.length, 1);
  assert.match(lines[0] ?? '', /ssh-agent at \S+silent-agent does not answer: this goes on without its keys/);
  await assert.rejects(connect(server.port, { ssh: host.ssh }), /ssh-agent does not answer/);
});

test('a key with a passphrase is asked for once for all hosts, three times at most, and opens them', async () => {
  const key = newKey({ passphrase: 'open sesame' });
  const server = await sshServer({ users: [key.publicKey] });
  const hosts = [1, 2, 3].map((line) => ({
    ...targetAt(server.port, `vpn${line}`),
    line,
    privateKeyFile: key.file,
  }));
  const wrong = person('a', 'b', 'c', 'open sesame');
  await assert.rejects(unlockKeys(hosts, settings, wrong), /its passphrase was wrong 3 times/);
  assert.equal(wrong.asked.length, 3);
  await assert.rejects(unlockKeys(hosts, settings, nobody), (error: unknown) => {
    assert.ok(error instanceof Fault);
    assert.match(error.message, /hosts\.ini:1: the key for vpn1, .* has a passphrase/);
    assert.equal(error.next, `start ssh-agent, then ssh-add ${key.file}`);
    return true;
  });
  const right = person('wrong', 'open sesame');
  await unlockKeys(hosts, settings, right);
  assert.deepEqual(right.asked, [
    `Passphrase of ${key.file}`,
    `Passphrase of ${key.file}, which was not that`,
  ]);
  await unlockKeys(hosts, settings, nobody);
  await connect(server.port, { privateKeyFile: key.file });
});

test('nobody is asked about a key that the agent holds, or that is not needed', async () => {
  const locked = newKey({ passphrase: 'x y z' });
  const open = newKey({ file: join(home, '.ssh', 'id_ed25519') });
  const usual = newKey({ passphrase: 'pass', type: 'ecdsa', file: join(home, '.ssh', 'id_ecdsa') });
  const host = (more: Partial<LoginTarget>): LoginTarget => ({ ...targetAt(22), line: 1, ...more });
  await unlockKeys([host({})], settings, nobody);
  await unlockKeys([host({ ssh: ssh({ identityFiles: [open.file, locked.file] }) })], settings, nobody);
  // Nothing else that was meant for it.
  const only = person('');
  await unlockKeys([host({ ssh: ssh({ identityFiles: [usual.file] }) })], settings, only);
  assert.equal(only.asked.length, 1);

  const plain = join(home, 'plain');
  execFileSync('cp', [locked.file, plain]);
  execFileSync('ssh-keygen', ['-q', '-p', '-P', 'x y z', '-N', '', '-f', plain]);
  process.env.SSH_AUTH_SOCK = await agentWith([{ file: plain, publicKey: '' }]);
  await unlockKeys([host({ privateKeyFile: locked.file })], settings, nobody);
  const server = await sshServer({ users: [locked.publicKey] });
  await connect(server.port, { privateKeyFile: locked.file });
  assert.deepEqual(server.offered, offered([locked]));
});

test('what is typed unseen: corrections, the end, Ctrl-C', () => {
  assert.deepEqual(typed('', 'abc'), { text: 'abc' });
  assert.deepEqual(typed('ab', '\u007fc\r'), { text: 'ac', end: 'enter' });
  assert.deepEqual(typed('ab', '\u0015x\n'), { text: 'x', end: 'enter' });
  assert.deepEqual(typed('', '\u0004'), { text: '', end: 'nothing' });
  assert.deepEqual(typed('ab', '\u0004'), { text: 'ab' });
  assert.deepEqual(typed('ab', '\u0003'), { text: '', end: 'stop' });
});
