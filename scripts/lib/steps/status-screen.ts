/** Where rounds of a status go: over each other on a terminal, behind each other in a pipe. */
import { atEnd } from '../cli.ts';

export interface Screen {
  /** Shows one round's lines. */
  show(lines: readonly string[]): void;
  /** Leaves the terminal as it was. */
  close(): Promise<void>;
}

/** A screen of its own, without a cursor, and with long lines cut by the terminal instead of wrapped. */
const ENTER = '\u001b[?1049h\u001b[?25l\u001b[?7l';
const LEAVE = '\u001b[?7h\u001b[?25h\u001b[?1049l';

/** Lines over those that are there, each erased only behind its end: nothing flickers. At most `rows` of them. */
export function redrawn(lines: readonly string[], rows: number): string {
  const shown =
    lines.length <= rows ? lines : [...lines.slice(0, rows - 1), `… ${lines.length - rows + 1} more lines`];
  return `\u001b[H${shown.map((line) => `${line}\u001b[K`).join('\r\n')}\u001b[J`;
}

/** The screen of a watch. */
export function openScreen(stdout: NodeJS.WriteStream): Screen {
  if (!stdout.isTTY)
    return {
      show: (lines) => void stdout.write(lines.map((line) => `${line}\n`).join('')),
      close: async () => {},
    };
  stdout.write(ENTER);
  return {
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
