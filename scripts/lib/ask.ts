/** The door to the person at the terminal. */
import { createInterface } from 'node:readline';

/** Whether a question would reach a person, and the answer come from one. */
export const canAsk = (): boolean => Boolean(process.stdin.isTTY && process.stderr.isTTY);

/**
 * Asks a question on standard error, and takes anything but `y` or `yes` for no, the end of the input too. Only where
 * {@link canAsk} is true. Ctrl-C ends the command, as at any other moment: the terminal's own line editing is left on.
 */
export function confirm(question: string): Promise<boolean> {
  process.stderr.write(`${question} [y/N] `);
  return new Promise((resolve) => {
    const lines = createInterface({ input: process.stdin, terminal: false });
    let answer: string | undefined;
    lines.once('line', (line) => {
      answer = line;
      lines.close();
    });
    // The terminal may go away.
    process.stdin.once('error', () => lines.close());
    lines.once('close', () => {
      if (answer === undefined) process.stderr.write('\n');
      resolve(/^\s*y(?:es)?\s*$/i.test(answer ?? ''));
    });
  });
}
