/** Hosts of this process for a set-up to talk to: they speak SSH, and answer scripts without running them. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import ssh2, { type ServerChannel } from 'ssh2';
import { newHostKey } from '../scripts/lib/transport/host-key.ts';
import { newPrivateKey, publicKeyOf } from '../scripts/lib/wireguard/key.ts';

/** What one piece of a script answers; undefined for the usual, a new Debian's. */
export type Answering = (
  piece: string,
  kind: 'probe' | 'apply',
) => { code?: number; out?: string; err?: string } | 'cut' | undefined;

export interface FakeHost {
  name: string;
  address: string;
  /** Scripts that came, in order. */
  scripts: string[];
  /** How often somebody logged in. */
  logins: number;
  publicKey: string;
  answering?: Answering | undefined;
  close: () => void;
}

const FACTS = `id=debian
version=13
os=Debian GNU/Linux 13 (trixie)
uid=0
apt=yes
systemd=yes
egress=ens3
wireguard=yes`;

/** A server as it is handed over: nothing of ours is there. */
function usual(piece: string, kind: 'probe' | 'apply', publicKey: string): string {
  if (kind === 'apply') return piece.includes('wg genkey') ? publicKey : '';
  if (piece.includes('comps.last')) return 'nobody';
  if (piece.includes('os-release')) return FACTS;
  if (piece.includes('wg0.key') && piece.includes('echo none')) return 'none';
  if (piece.includes('is-enabled wg-quick')) return 'down';
  if (piece.includes('nft list table')) return 'later';
  return piece.includes('ip_forward') ? 'net/ipv4/ip_forward 0' : '';
}

const PIECE = /^echo '(\S+) begin (\d+)';.*\n\(\n([\s\S]*?)\n\) <\/dev\/null/gm;

function answer(host: FakeHost, script: string, channel: ServerChannel, cut: () => void): void {
  const kind = script.includes('flock -n -x') ? 'apply' : 'probe';
  for (const [, marker = '', i = '', piece = ''] of script.matchAll(PIECE)) {
    const said = host.answering?.(piece, kind);
    channel.write(`${marker} begin ${i}\n`);
    if (said === 'cut') {
      cut();
      return;
    }
    const { code = 0, out = usual(piece, kind, host.publicKey), err = '' } = said ?? {};
    channel.write(`${out}\n${marker} end ${i} ${code}\n`);
    channel.stderr.write(`${marker} begin ${i}\n${err}\n${marker} end ${i} ${code}\n`);
    if (kind === 'apply' && code !== 0) break;
  }
  channel.exit(0);
  channel.end();
}

export interface FakeNetwork {
  folder: string;
  inventory: string;
  config: string;
  out: string;
  hosts: FakeHost[];
  close: () => void;
}

/** As many proxies and a comp server, on loopback addresses of their own, with an inventory that names them. */
export async function fakeNetwork(proxies: number): Promise<FakeNetwork> {
  const folder = mkdtempSync(join(tmpdir(), 'comps-setup-'));
  const user = newHostKey();
  writeFileSync(join(folder, 'id'), user.privateKey, { mode: 0o600 });
  const names = [...Array.from({ length: proxies }, (_, i) => `vpn${i + 1}`), 'comp1'];
  const hosts: FakeHost[] = [];
  const lines: string[] = [];
  const known: string[] = [];
  for (const [i, name] of names.entries()) {
    const host: FakeHost = {
      name,
      address: `127.0.0.${i + 2}`,
      scripts: [],
      logins: 0,
      publicKey: publicKeyOf(newPrivateKey()),
      close: () => server.close(),
    };
    const key = newHostKey();
    const server = new ssh2.Server({ hostKeys: [key.privateKey] }, (client) => {
      client.on('error', () => {});
      client.on('authentication', (attempt) =>
        attempt.method === 'publickey' ? attempt.accept() : attempt.reject(['publickey']),
      );
      client.on('ready', () => host.logins++);
      client.on('session', (accept) => {
        accept().on('exec', (acceptExec) => {
          const channel = acceptExec();
          let script = '';
          channel.setEncoding('utf8').on('data', (text: string) => {
            script += text;
          });
          channel.on('end', () => {
            host.scripts.push(script);
            answer(host, script, channel, () => client.end());
          });
        });
      });
    });
    const port = await new Promise<number>((resolve) =>
      server.listen(0, host.address, () => resolve((server.address() as { port: number }).port)),
    );
    known.push(`[${host.address}]:${port} ${key.publicKey.split(' ').slice(0, 2).join(' ')}`);
    if (i === 0) lines.push('[vpn]');
    if (name === 'comp1') lines.push('[comp]');
    lines.push(`${name} ansible_host=${host.address} ansible_port=${port}`);
    hosts.push(host);
  }
  lines.push('[all:vars]', 'ansible_ssh_private_key_file=id', 'ansible_user=root');
  const inventory = join(folder, 'hosts.ini');
  const config = join(folder, 'config.cfg');
  writeFileSync(inventory, `${lines.join('\n')}\n`);
  writeFileSync(join(folder, 'known_hosts'), `${known.join('\n')}\n`);
  writeFileSync(config, 'wireguard_subnet: 10.45.0\nwireguard_gateway_address: 10.45.0.2/32\n');
  mkdirSync(join(folder, 'home'));
  return {
    folder,
    inventory,
    config,
    out: join(folder, 'client'),
    hosts,
    close: () => {
      for (const host of hosts) host.close();
      rmSync(folder, { recursive: true });
    },
  };
}
