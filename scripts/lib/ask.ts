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

/** What one key stroke, or a pasted piece, makes of what was typed so far; `end` where the answer is complete. */
export function typed(sofar: string, piece: string): { text: string; end?: 'enter' | 'nothing' | 'stop' } {
  let text = sofar;
  for (const char of piece) {
    if (char === '\r' || char === '\n') return { text, end: 'enter' };
    if (char === '\u0003') return { text: '', end: 'stop' };
    // Ctrl-D ends the input only where nothing was typed, as a terminal does.
    if (char === '\u0004') {
      if (text === '') return { text, end: 'nothing' };
    } else if (char === '\u007f' || char === '\b') text = [...text].slice(0, -1).join('');
    else if (char === '\u0015') text = '';
    else text += char;
  }
  return { text };
}

/**
 * Asks for a password or passphrase on standard error; nothing of it is shown. Undefined at the end of the input. Only
 * where {@link canAsk} is true. Ctrl-C ends the command, as at any other moment.
 */
export function askSecret(question: string): Promise<string | undefined> {
  const { stdin, stderr } = process;
  stderr.write(`${question}: `);
  return new Promise((resolve) => {
    let text = '';
    const finish = (answer: string | undefined): void => {
      stdin.off('data', onData).off('end', onEnd).off('error', onEnd);
      process.off('exit', restore);
      restore();
      stdin.pause();
      stderr.write('\n');
      resolve(answer);
    };
    // Whatever ends this command, the terminal shows again what is typed.
    const restore = (): void => void stdin.setRawMode(false);
    const onEnd = (): void => finish(undefined);
    const onData = (piece: string): void => {
      const step = typed(text, piece);
      text = step.text;
      if (step.end === 'enter') finish(text);
      if (step.end === 'nothing') finish(undefined);
      if (step.end === 'stop') {
        restore();
        // In raw mode the terminal sends no signal of its own.
        process.kill(process.pid, 'SIGINT');
      }
    };
    process.once('exit', restore);
    stdin.setRawMode(true);
    stdin.setEncoding('utf8').on('data', onData).once('end', onEnd).once('error', onEnd);
    stdin.resume();
  });
}
