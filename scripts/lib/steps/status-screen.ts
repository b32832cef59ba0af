/** Where rounds of a status go: over each other on a terminal, behind each other in a pipe. */
import { atEnd } from '../cli.ts';

export interface Screen {
  /** Whether each round takes the place of the one before. */
  replaces: boolean;
  /** Shows one round's lines. */
  show(lines: readonly string[]): void;
  /** Leaves the terminal as it was. */
  close(): Promise<void>;
}

/** A screen of its own, without a cursor, and with long lines cut by the terminal instead of wrapped. */
const ENTER = '\u001b[?1049h\u001b[?25l\u001b[?7l';
const LEAVE = '\u001b[?7h\u001b[?25h\u001b[?1049l';

/** Lines over those that are there, each erased only behind its end: nothing flickers. At most `rows` of them, 0 for any. */
export function redrawn(lines: readonly string[], rows: number): string {
  const shown =
    rows === 0 || lines.length <= rows
      ? lines
      : [...lines.slice(0, rows - 1), `… ${lines.length - rows + 1} more lines`];
  return `\u001b[H${shown.map((line) => `${line}\u001b[K`).join('\r\n')}\u001b[J`;
}

/** The screen of a watch. A terminal that says of itself that it can do nothing is one line behind the other. */
export function openScreen(stdout: NodeJS.WriteStream, { TERM }: NodeJS.ProcessEnv): Screen {
  if (!stdout.isTTY || TERM === 'dumb')
    return {
      replaces: false,
      show: (lines) => void stdout.write(lines.map((line) => `${line}\n`).join('')),
      close: async () => {},
    };
  stdout.write(ENTER);
  return {
    replaces: true,
    // A message may be of several lines.
    show: (lines) =>
      void stdout.write(
        redrawn(
          lines.flatMap((line) => line.split('\n')),
          stdout.rows,
        ),
      ),
    close: atEnd(() => void stdout.write(LEAVE)),
  };
}
