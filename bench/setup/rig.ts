/** The lab that all ways are measured in: its files for any number of hosts, and its droplets made as on the first day again. */
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Fault } from '../../scripts/lib/cli.ts';
import { makeDirectory, readText, remove, writeText } from '../../scripts/lib/files.ts';
import { controllerEnvironment } from '../../scripts/lib/lab/environment.ts';
import type { Lab, Role } from '../../scripts/lib/lab/lab.ts';
import { placeOf } from '../../scripts/lib/lab/place.ts';
import { configCfg, hostsIni } from '../../scripts/lib/lab/workspace.ts';
import type { Case, Way } from './ways.ts';

export const HERE = dirname(fileURLToPath(import.meta.url));
const ANSIBLE = join(HERE, '..', 'ansible');
/** Machines that are worked on at a time, on a computer that has two processors. */
const SOME = 8;

/**
 * As on the first day: WireGuard's packages are there, and nothing of its keys, files, service, rules and settings. `bench`
 * looks at the processes of a machine as they are, so no command of Ansible's may be left either.
 */
const RESET = `
systemctl disable -q --now wg-quick@wg0 2>/dev/null
systemctl reset-failed wg-quick@wg0 2>/dev/null
ip link delete wg0 2>/dev/null
nft delete table ip comps 2>/dev/null
rm -rf /etc/wireguard /etc/sysctl.d/99-comps.conf /run/comps.last /root/.ansible /root/.ansible_async
mkdir -m 700 /etc/wireguard
echo 0 >/proc/sys/net/ipv4/ip_forward
[ ! -e /sys/class/net/wg0 ]`;

/** sshd says of each command that it starts one. */
const TELL = `
echo 'LogLevel VERBOSE' >/etc/ssh/sshd_config.d/bench.conf
systemctl reload ssh`;

/** `CONNECTIONS SESSIONS` that sshd has had. */
const ASK = `journalctl --sync; journalctl -o cat --no-pager -t sshd -t sshd-session |
awk '/^Accepted publickey /{c++} /^Starting session: /{s++} END{print c+0, s+0}'`;

/** What must be so in the end, whoever did it; says the server's public key. */
const DONE = `
set -e
systemctl is-enabled -q wg-quick@wg0
systemctl is-active -q wg-quick@wg0
[ "$(cat /proc/sys/net/ipv4/ip_forward)" = 1 ]
grep -q '^net.ipv4.ip_forward *= *1$' /etc/sysctl.d/99-comps.conf
nft list table ip comps | grep -q masquerade
[ "$(wg show wg0 peers | wc -l)" = 1 ]
wg show wg0 public-key`;

async function inSome<T>(all: readonly T[], work: (one: T) => Promise<void>): Promise<void> {
  const waiting = [...all];
  const lane = async (): Promise<void> => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) await work(next);
  };
  await Promise.all(Array.from({ length: SOME }, lane));
}

export interface Visits {
  connections: number;
  sessions: number;
}

export class Rig {
  readonly lab: Lab;
  private readonly folder: string;

  private constructor(lab: Lab) {
    this.lab = lab;
    this.folder = join(lab.directory, 'bench');
  }

  static async open(lab: Lab): Promise<Rig> {
    const rig = new Rig(lab);
    makeDirectory(rig.folder, 0o700);
    writeText(join(rig.folder, 'known_hosts'), readText(join(lab.directory, 'known_hosts')));
    // Ansible only copies it: it is the same for all.
    writeText(join(rig.folder, 'setup.sh'), '#!/bin/sh\n');
    writeText(join(rig.folder, 'ansible.cfg'), '');
    await rig.in('vpn1', TELL);
    return rig;
  }

  private async in(role: Role, script: string): Promise<string> {
    const { code, stdout, stderr } = await this.lab.exec(role, ['sh', '-c', script]);
    if (code !== 0) throw new Fault({ at: role, what: stderr.trim() || `exit code ${code}` });
    return stdout;
  }

  private roles(hosts: number): Role[] {
    const proxies = Array.from({ length: hosts - 1 }, (_, i): Role => `vpn${i + 1}`);
    return [...proxies, 'comp1'];
  }

  addresses(hosts: number): string[] {
    return this.roles(hosts).map((role) => this.lab.addressOf(role));
  }

  private file(name: string): string {
    return join(this.folder, name);
  }

  /** Where a way leaves the client's files. */
  private out(way: Way): string {
    return this.file(`client-${way}`);
  }

  /** What was done goes: on that many droplets, and of the client's files. */
  async reset({ way, hosts }: Case): Promise<void> {
    remove(this.out(way));
    makeDirectory(this.out(way), 0o700);
    if (way !== 'ours') makeDirectory(join(this.out(way), 'keys'), 0o700);
    remove(this.file('home'));
    await inSome(this.roles(hosts), async (role) => void (await this.in(role, RESET)));
  }

  /** Refuses a way that did not do the whole work: on the first proxy, the comp server and the client. */
  async check({ way, hosts }: Case): Promise<void> {
    const ends: [Role, string][] = [
      ['vpn1', 'wgnet1.conf'],
      ['comp1', 'wg0.conf'],
    ];
    for (const [role, name] of ends) {
      const key = (await this.in(role, DONE)).trim();
      if (readText(join(this.out(way), name)).includes(`PublicKey = ${key}\n`)) continue;
      throw new Fault({ at: `${way}, N=${hosts}`, what: `${name} has not the public key of ${role}` });
    }
    readText(join(this.out(way), 'setup.sh'));
  }

  private inventory(hosts: number): string {
    const shape = { vpn: hosts - 1, comp: 1 };
    const file = this.file(`hosts-${hosts}.ini`);
    writeText(file, hostsIni(shape, join(this.lab.directory, 'id_ed25519')));
    writeText(this.file('config.cfg'), configCfg(shape));
    return file;
  }

  /** The command that sets `hosts` up, ours or Ansible's, and its environment. */
  command({ way, hosts }: Case): { words: string[]; env: NodeJS.ProcessEnv } {
    const inventory = this.inventory(hosts);
    const env = controllerEnvironment(placeOf(this.lab.name));
    if (way === 'ours')
      return {
        words: [
          'npx',
          'zx',
          'scripts/wgnet-setup.ts',
          ...['-i', inventory, '-c', this.file('config.cfg'), '-o', this.out(way)],
        ],
        env,
      };
    if (way === 'start') return { words: ['npx', 'zx', join(HERE, 'start.mjs')], env };
    if (way === 'floor')
      return {
        words: [
          'npx',
          'zx',
          join(HERE, 'floor.mjs'),
          join(this.lab.directory, 'id_ed25519'),
          ...this.addresses(hosts),
        ],
        env,
      };
    return { words: this.ansibleWords(way, inventory), env: this.ansibleEnvironment(way) };
  }

  /** Nothing but the set-up again and again, in one process. */
  again(hosts: number, times: number): { words: string[]; env: NodeJS.ProcessEnv } {
    const files = [this.inventory(hosts), this.file('config.cfg'), this.out('ours')];
    const words = [process.execPath, '--import=tsx', join(HERE, 'again.ts'), String(times), ...files];
    return { words, env: controllerEnvironment(placeOf(this.lab.name)) };
  }

  private ansibleWords(way: Way, inventory: string): string[] {
    const book = join(ANSIBLE, `${way === 'fast' || way === 'script' ? way : 'site'}.yml`);
    const values = {
      ...{ client: this.out(way), setup_sh: this.file('setup.sh') },
      // As a variable: Mitogen looks for it nowhere else, and would connect twice more to find it.
      ansible_python_interpreter: '/usr/bin/python3',
    };
    const where = Object.entries(values).flatMap(([name, value]) => ['-e', `${name}=${value}`]);
    return ['/usr/bin/ansible-playbook', '-i', inventory, book, ...where];
  }

  /** Nothing of this process's own: no proxy, no configuration. */
  private ansibleEnvironment(way: Way): NodeJS.ProcessEnv {
    const usual = {
      ...{ PATH: '/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C.UTF-8', HOME: this.file('home') },
      ...{ ANSIBLE_HOME: join(this.file('home'), '.ansible'), ANSIBLE_CONFIG: this.file('ansible.cfg') },
      ...{ ANSIBLE_SSH_COMMON_ARGS: `-o UserKnownHostsFile=${this.file('known_hosts')}` },
      ...{ ANSIBLE_LOCALHOST_WARNING: 'false', ANSIBLE_NOCOLOR: '1', PYTHONDONTWRITEBYTECODE: '1' },
    };
    if (way === 'defaults') return usual;
    const forks = { ...usual, ANSIBLE_FORKS: '50' };
    if (way === 'tuned')
      return {
        ...forks,
        ANSIBLE_PIPELINING: 'true',
        ANSIBLE_SSH_ARGS: '-o ControlMaster=auto -o ControlPersist=60s',
      };
    return {
      ...forks,
      ...{ ANSIBLE_STRATEGY_PLUGINS: join(ANSIBLE, 'strategy'), ANSIBLE_STRATEGY: 'mitogen_mended' },
    };
  }

  /** Of the first droplet, from its beginning. */
  async visits(): Promise<Visits> {
    const [connections = 0, sessions = 0] = (await this.in('vpn1', ASK)).split(' ').map(Number);
    return { connections, sessions };
  }
}
