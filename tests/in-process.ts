/** Runs a step in this process and hears what it says; several at the same time, each its own. */
import { AsyncLocalStorage } from 'node:async_hooks';
import { inspect } from 'node:util';
import { Fault } from '../scripts/lib/cli.ts';

const heard = new AsyncLocalStorage<string[]>();

for (const method of ['log', 'error', 'warn'] as const) {
  const usual = console[method].bind(console);
  console[method] = (...words: unknown[]) => {
    const lines = heard.getStore();
    if (lines === undefined) usual(...words);
    else lines.push(words.map((word) => (typeof word === 'string' ? word : inspect(word))).join(' '));
  };
}

export interface Heard {
  code: number;
  said: string;
}

/** The exit code of a step and all that it printed, its Fault as a command prints it; all of it in every form for `look`. */
export async function hear(step: () => Promise<number>, look: (text: string) => void): Promise<Heard> {
  const lines: string[] = [];
  const code = await heard.run(lines, () =>
    step().catch((error: unknown) => {
      look(
        `${String(error)} ${(error as Error).stack} ${inspect(error, { depth: 9 })} ${JSON.stringify(error)}`,
      );
      if (!(error instanceof Fault)) throw error;
      lines.push(error.toString());
      return error.code;
    }),
  );
  const said = lines.join('\n');
  look(said);
  return { code, said };
}
