/** The lab that all cases run in: the two ends of the traffic, and the tables of the client. */
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { EXIT, Fault } from '../../scripts/lib/cli.ts';
import { readTextIfAny } from '../../scripts/lib/files.ts';
import { clientRun } from '../../scripts/lib/lab/client.ts';
import type { Lab } from '../../scripts/lib/lab/lab.ts';
import { SITE } from '../../scripts/lib/lab/roles.ts';
import { until } from '../../scripts/lib/poll.ts';
import { spawnDetached } from '../../scripts/lib/transport/local.ts';
import { putFile } from '../lab.ts';
import type { Case } from './cases.ts';

/** Programs that run in the lab stand beside this file. */
export const HERE = dirname(fileURLToPath(import.meta.url));
const PORT = '5301';
/** Bytes of a numbered packet. */
export const PACKET_SIZE = 1000;
/** Milliseconds that something in the lab may take to begin. */
const PATIENCE = 20_000;

/** Of a stream, at its receiver. `segments`: of the client's TCP; see near.mjs. */
export interface Stream {
  bits_per_second: number;
  segments: { sent: number; again: number; twice: number; ahead: number };
}

/** Of numbered packets: how many came, and how many of those behind one with a higher number. */
interface Came {
  came: number;
  late: number;
}

export interface Packets {
  sent: number;
  seconds: number;
  /** Those that the client's own kernel would not send. */
  refused: number;
  there: Came;
  back: Came;
}

/**
 * The tables as the original has them: the three rules stand, each table has its one route, and nothing is behind them.
 * The tunnels, their keys and MTUs stay ours, so that nothing but the switching differs.
 */
const ORIGINAL = `
set -e
for family in -4 -6; do
  for table in 51820 51821; do ip $family route flush table $table; done
done
ip -4 route add default dev wgnet1 table 51821
ip -4 route add default dev wg0 table 51820
nft flush ruleset
tc qdisc delete dev eth0 clsact 2>/dev/null || true
`;

const OURS = '/etc/wireguard/setup.sh down && /etc/wireguard/setup.sh up';

export class Rig {
  private runs = 0;
  private tables: Case['tables'] = 'ours';
  readonly lab: Lab;

  private constructor(lab: Lab) {
    this.lab = lab;
  }

  /** Puts the programs where they run, and starts the far end. */
  static async open(lab: Lab): Promise<Rig> {
    for (const name of ['near.mjs', 'loop.sh']) await putFile(lab, 'client', join(HERE, name), name);
    await putFile(lab, 'inet', join(HERE, 'far.mjs'), 'far.mjs');
    const log = join(lab.directory, 'log', 'far.log');
    spawnDetached(lab.words('inet', ['node', '/far.mjs', PORT]), log);
    if (!(await until(PATIENCE, () => (readTextIfAny(log) ?? '').includes('ready'))))
      throw new Fault({
        at: log,
        what: `the far end does not start: ${readTextIfAny(log)}`,
        code: EXIT.failed,
      });
    return new Rig(lab);
  }

  private async near<T>(...words: (string | number)[]): Promise<T> {
    return JSON.parse(await clientRun(this.lab, 'node', '/near.mjs', SITE, PORT, ...words.map(String)));
  }

  stream(way: 'up' | 'down', seconds: number): Promise<Stream> {
    return this.near(way, Math.min(0.4, seconds / 4), seconds);
  }

  packets(perSecond: number, count: number): Promise<Packets> {
    this.runs++;
    return this.near('udp', this.runs, perSecond, count, PACKET_SIZE);
  }

  /** Lays the client's tables for a case, with wgnet1 in force; a session of WireGuard's is there when it returns. */
  async prepare({ tables }: Case): Promise<void> {
    if (tables !== this.tables) {
      // Also what WireGuard remembers of packets that went past the tunnels goes.
      await clientRun(this.lab, 'sh', '-c', tables === 'ours' ? OURS : ORIGINAL);
      this.tables = tables;
    }
    await clientRun(this.lab, 'ip', 'route', 'replace', 'default', 'dev', 'wgnet1', 'table', '51821');
    await this.packets(100, 10);
  }
}
