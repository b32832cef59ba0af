/** prober.pl, which sends every kind of packet all the time. */
import { type ChildProcess, spawn } from 'node:child_process';
import { minus, PROXIES, RESOLVER, SITE, textOf, until } from './guest-tools.ts';
import type { Counts } from './results.ts';

const SITE6 = '2001:db8::80';
const ROUTER = '192.0.2.1';

/** Rounds of all kinds that belong to each state. */
const ROUNDS = 3;

/** The processor is one: probes go when others wait, and as {@link Prober.rounds}. */
const GENTLY = ['nice', '-n', '19'];

export class Prober {
  private readonly process: ChildProcess;
  private readonly file: string;
  private readonly behind: boolean;

  /** `enter`: the words before perl, for a place that is not the client itself; `behind`: see prober.pl. */
  constructor(file: string, enter: readonly string[] = [], behind = false) {
    this.file = file;
    this.behind = behind;
    const more = behind ? ['behind'] : [];
    const told = ['eth0', SITE, RESOLVER, ROUTER, PROXIES[0] ?? '', SITE6, ...more];
    const [program = '', ...words] = [...enter, ...GENTLY, 'perl', 'prober.pl', file, ...told];
    this.process = spawn(program, words, { stdio: ['ignore', 'ignore', 'inherit'] });
  }

  private read(): { rounds: number; tried: Counts } {
    const text = textOf(this.file);
    return text === '' ? { rounds: 0, tried: {} } : JSON.parse(text);
  }

  /** Some whole rounds, from now on. */
  async rounds(): Promise<void> {
    const from = this.read().rounds;
    await until(
      `${this.behind ? 'packets from behind' : 'probes'}`,
      () => this.read().rounds > from + ROUNDS,
    );
  }

  /** How often each kind was tried while this was done. */
  async during(work: () => Promise<unknown>): Promise<Counts> {
    const before = this.read().tried;
    await work();
    return minus(this.read().tried, before);
  }

  rest(): void {
    this.process.kill('SIGSTOP');
  }

  goOn(): void {
    this.process.kill('SIGCONT');
  }

  end(): void {
    this.process.kill('SIGKILL');
  }
}
