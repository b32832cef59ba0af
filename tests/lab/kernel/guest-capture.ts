/** All that leaves the client's cable and is no tunnel's own, as the router gets it. */
import { spawn } from 'node:child_process';
import { sh, until } from './guest-tools.ts';

/** tcpdump, line by line: of packets from the client, for this filter, with the questions of {@link Watch.mark}. */
export class Watch {
  private readonly seen: string[] = [];
  private marks = 0;
  private rest = '';
  private said = '';

  constructor(filter: string) {
    const flags = ['-n', '-l', '--immediate-mode', '-Q', 'in', '-i', 'client'];
    const words = ['netns', 'exec', 'net', 'tcpdump', ...flags, `arp or (${filter})`];
    const tcpdump = spawn('ip', words, { stdio: ['ignore', 'pipe', 'pipe'] });
    tcpdump.stdout.setEncoding('utf8').on('data', (text: string) => {
      const lines = `${this.rest}${text}`.split('\n');
      this.rest = lines.pop() ?? '';
      this.seen.push(...lines);
    });
    tcpdump.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.said += text;
    });
  }

  ready(): Promise<void> {
    return until(`tcpdump: ${this.said}`, () => this.said.includes('listening on'));
  }

  /** Waits until all that was sent before has been seen: asks for an address that nobody has, another one each time. */
  async mark(): Promise<void> {
    const nobody = `192.0.2.${100 + (this.marks++ % 100)}`;
    const from = this.seen.length;
    const seen = (): boolean => this.seen.slice(from).some((line) => line.includes(`who-has ${nobody} `));
    await until(`the capture to see a question for ${nobody}`, async () => {
      await sh(
        `ip neigh del ${nobody} dev eth0 2>/dev/null; ip neigh add ${nobody} dev eth0 use 2>/dev/null || true`,
      );
      return seen();
    });
  }

  /** Packets so far, ARP aside. */
  get past(): string[] {
    return this.seen.filter((line) => !/^\S+ ARP,/.test(line));
  }

  /** Packets while this was done. */
  async during<T>(work: () => Promise<T>): Promise<{ result: T; past: string[] }> {
    await this.mark();
    const before = this.past.length;
    const result = await work();
    await this.mark();
    return { result, past: this.past.slice(before) };
  }
}

/** Runs something while fragments on the client's cable are counted, both ways. */
export async function fragmentsDuring(work: () => Promise<unknown>): Promise<number> {
  const file = '/tmp/fragments';
  const flags = `-n -l --immediate-mode -i client 'ip[6:2] & 0x3fff != 0'`;
  const tcpdump = spawn('bash', ['-c', `exec ip netns exec net tcpdump ${flags} >${file} 2>${file}.log`], {
    stdio: 'ignore',
  });
  const ended = new Promise((resolve) => tcpdump.on('close', resolve));
  await until('tcpdump', async () => (await sh(`cat ${file}.log`)).includes('listening on'));
  await work();
  tcpdump.kill('SIGINT');
  await ended;
  return Number(await sh(`grep -c . ${file} || true`));
}
