/** The lab that all cases run in: its files, its HTTP/3 server's word, and its paths. */
import { createHash, randomBytes } from 'node:crypto';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readTextIfAny, writeBytes } from '../../scripts/lib/files.ts';
import { connectionsIn, type H3Connection } from '../../scripts/lib/lab/h3-log.ts';
import type { Lab } from '../../scripts/lib/lab/lab.ts';
import { dropletsIn } from '../../scripts/lib/lab/roles.ts';
import { until } from '../../scripts/lib/poll.ts';
import { labSetUp, putFile, setLine } from '../lab.ts';

const HERE = dirname(fileURLToPath(import.meta.url));
export const HOST = 'quic.example.org';
const MB = 1_000_000;
/** Milliseconds that the server's last words may take, and of quiet after which there are no more. */
const PATIENCE = 5000;
const QUIET = 300;

export class Rig {
  readonly lab: Lab;
  /** Interfaces by the address of the proxy behind each, in their order. */
  readonly paths: ReadonlyMap<string, string>;
  private readonly hashes = new Map<number, string>();

  private constructor(lab: Lab) {
    this.lab = lab;
    const proxies = dropletsIn(lab.shape, 'vpn').map((role) => lab.addressOf(role));
    this.paths = new Map(proxies.map((address, i) => [address, `wgnet${i + 1}`]));
  }

  /** `browser`: whether the client is to have Chromium. */
  static async open(browser: boolean, mbit: number, queue: number): Promise<Rig> {
    const lab = await labSetUp({ vpn: 3, comp: 0, browser }, '--mode', 'quic');
    for (const name of ['fetch.sh', 'browse.mjs']) await putFile(lab, 'client', join(HERE, name), name);
    await setLine(lab, mbit, queue);
    return new Rig(lab);
  }

  /** The name of a file of so many megabytes on the server, random bytes, and its SHA-256. */
  file(megabytes: number): { name: string; sha256: string } {
    const name = `${megabytes}m`;
    let sha256 = this.hashes.get(megabytes);
    if (sha256 === undefined) {
      const bytes = randomBytes(megabytes * MB);
      sha256 = createHash('sha256').update(bytes).digest('hex');
      writeBytes(join(this.lab.directory, 'site', 'quic', name), bytes);
      this.hashes.set(megabytes, sha256);
    }
    return { name, sha256 };
  }

  private log(): string {
    return readTextIfAny(join(this.lab.directory, 'site', 'h3.log')) ?? '';
  }

  /** From now on; the answer is the way to the connections that the server has had since. */
  watchServer(): () => Promise<H3Connection[]> {
    const from = this.log().length;
    return async () => {
      let [length, since] = [0, 0];
      await until(PATIENCE, () => {
        const now = this.log().length;
        if (now !== length) [length, since] = [now, performance.now()];
        return length > from && performance.now() - since > QUIET;
      });
      return connectionsIn(this.log().slice(from));
    };
  }
}
