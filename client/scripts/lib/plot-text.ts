/** A schedule in a terminal: a row a path. Pure. */
import { binsOf, type Plot, partsOf, percent, ticksOf } from './plot.ts';

/** Columns that a plot has at least, however narrow the terminal. */
const LEAST = 10;
const SHADES = [' ', '░', '▒', '▓', '█'] as const;
/** Of ANSI, readable on dark and on light: blue, yellow, green, magenta, cyan, red. */
const COLOURS = [34, 33, 32, 35, 36, 31];

/** How dark a cell is: never blank where the path has a part of it. */
const shade = (part: number): string => SHADES[part <= 0 ? 0 : Math.max(1, Math.round(part * 4))] as string;

const painted = (text: string, path: number, colour: boolean): string =>
  colour ? `\u001b[${COLOURS[path % COLOURS.length]}m${text}\u001b[0m` : text;

function axis(plot: Plot, width: number): string {
  const line = new Array<string>(width).fill(' ');
  for (const [place, name] of ticksOf(plot)) {
    const start = Math.round(place * width - (place === 0 ? 0 : place === 1 ? name.length : name.length / 2));
    const free = line.slice(Math.max(0, start - 1), start + name.length + 1).every((cell) => cell === ' ');
    if (start < 0 || start + name.length > width || !free) continue;
    for (const [i, letter] of [...name].entries()) line[start + i] = letter;
  }
  return line.join('').trimEnd();
}

/** Lines as wide as the terminal: the title, a row a path with its part of the whole, the axis. */
export function plotText(plot: Plot, columns: number, colour: boolean): string[] {
  const label = Math.max(...plot.names.map((name) => name.length));
  const parts = partsOf(plot).map(percent);
  const value = Math.max(...parts.map((part) => part.length));
  const width = Math.max(LEAST, columns - label - value - 4);
  const rows = binsOf(plot, width).map((cells, path) => {
    const row = painted(cells.map(shade).join(''), path, colour);
    return `${(plot.names[path] ?? '').padEnd(label)} ${row}  ${(parts[path] ?? '').padStart(value)}`;
  });
  return [plot.title, ...rows, `${' '.repeat(label + 1)}${axis(plot, width)}`];
}

/** Whether colours are wanted: on a terminal, unless NO_COLOR says otherwise (no-color.org). */
export const coloursFor = (out: { isTTY?: boolean }, env: NodeJS.ProcessEnv): boolean =>
  out.isTTY === true && (env.NO_COLOR ?? '') === '' && env.TERM !== 'dumb';
