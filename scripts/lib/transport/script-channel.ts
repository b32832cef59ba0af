/** Scripts over an open connection: output apart, an end to every wait. */
import type { ClientChannel } from 'ssh2';
import type { Session } from './session.ts';
import { byHand, type SshFault, type SshOptions, type SshTarget, unreachable } from './ssh-options.ts';
import { readSudo, sudoCommand, sudoInput } from './sudo.ts';
import type { Answer, Bytes, RunOptions, Transport } from './transport.ts';

/** Seconds without a byte after which a host counts as lost. It is asked meanwhile, and answers even in the middle of a script. */
const SILENCE = 15;

/** Characters of output that no script of ours comes near. */
const FLOOD = 64 * 1024 * 1024;

/** Collects what a channel says; resolves with the answer, or with nothing where it ended without an exit code. */
function listen(channel: ClientChannel, onOutput: RunOptions['onOutput'], onFlood: () => void) {
  const answer: Answer = { code: null, stdout: '', stderr: '' };
  let ended = false;
  const grow = (key: 'stdout' | 'stderr', text: string): void => {
    if (answer.stdout.length + answer.stderr.length > FLOOD) onFlood();
    else answer[key] += text;
  };
  channel.setEncoding('utf8').on('data', (text: string) => {
    grow('stdout', text);
    onOutput?.(text);
  });
  channel.stderr.setEncoding('utf8').on('data', (text: string) => grow('stderr', text));
  channel.on('exit', (status: number | null) => {
    ended = true;
    answer.code = status;
  });
  return new Promise<Answer | undefined>((resolve) =>
    channel.once('close', () => resolve(ended ? answer : undefined)),
  );
}

/** The transport over a connection. */
export function runOver(session: Session, target: SshTarget, options: SshOptions): Required<Transport> {
  return new ScriptChannel(session, target, options);
}

class ScriptChannel implements Required<Transport> {
  rounds = 0;
  readonly #session: Session;
  readonly #target: SshTarget;
  readonly #options: SshOptions;
  /** Those who wait for an answer. */
  readonly #waiting = new Set<(fault: SshFault) => void>();
  #gone: SshFault | undefined;

  constructor(session: Session, target: SshTarget, options: SshOptions) {
    this.#session = session;
    this.#target = target;
    this.#options = options;
    session.client
      .on('error', ({ message }) => this.#lose(message))
      .once('close', () => this.#lose('closed'));
  }

  get bytes(): Bytes {
    return this.#session.bytes();
  }

  close(): void {
    this.#session.close();
  }

  /** The first reason counts; whoever waits gets it. */
  #lose(why: string): void {
    this.#end(
      unreachable(
        this.#target,
        'network',
        `the connection was lost in the middle (${why})`,
        'run this again: it goes on from where it was',
      ),
    );
  }

  #end(fault: SshFault): void {
    this.#gone ??= fault;
    for (const reject of this.#waiting) reject(this.#gone);
    this.#waiting.clear();
    // Also where the other end would never answer a polite goodbye.
    this.#session.client.destroy();
  }

  /** Watches for a peer that is gone without a word; a way to stop watching. */
  #watch(): () => void {
    const seconds = this.#options.silence ?? SILENCE;
    let [received, silent] = [-1, 0];
    const timer = setInterval(
      () => {
        const now = this.bytes.received;
        silent = now === received ? silent + 1 : 0;
        received = now;
        if (silent >= 3) this.#lose(`nothing came from it for ${seconds} s`);
      },
      (seconds / 3) * 1000,
    );
    return () => clearInterval(timer);
  }

  async run(script: string, { onOutput, limit }: RunOptions = {}): Promise<Answer> {
    if (this.#gone !== undefined) throw this.#gone;
    const target = this.#target;
    const { become } = this.#options;
    const password = become?.password?.reveal();
    const unwatch = this.#watch();
    const timer =
      limit === undefined
        ? undefined
        : setTimeout(() => {
            const what = `it does not answer any more: no end after ${limit} s`;
            const next = `see what hangs there: \`${byHand(target, this.#options.jumps)}\`, then run this again`;
            this.#end(unreachable(target, 'network', what, next));
          }, limit * 1000);
    let stop = (_fault: SshFault): void => {};
    try {
      const answer = await new Promise<Answer>((resolve, reject) => {
        stop = reject;
        this.#waiting.add(reject);
        this.rounds++;
        const command = become === undefined ? '/bin/sh -s' : sudoCommand(password !== undefined);
        this.#session.client.exec(command, (error, channel) => {
          if (error) return reject(this.#refusal(error));
          listen(channel, onOutput, () => this.#lose('it sends without end')).then((said) => {
            if (said === undefined) this.#lose('the shell there ended without a word');
            else resolve(said);
          }, reject);
          channel.end(become === undefined ? script : sudoInput(script, password));
        });
      });
      return become === undefined ? answer : readSudo(answer, target, password !== undefined);
    } finally {
      this.#waiting.delete(stop);
      clearTimeout(timer);
      unwatch();
    }
  }

  /** Why no script could be begun. */
  #refusal({ message }: Error): SshFault {
    if (this.#gone !== undefined) return this.#gone;
    return unreachable(
      this.#target,
      'network',
      `it lets nobody run a command: ${message.replace(/^\(SSH\) Channel open failure: ?/, '') || 'it opens no session'}`,
      `see whether \`${byHand(this.#target, this.#options.jumps)} true\` works`,
    );
  }
}
