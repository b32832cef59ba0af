/** The figures as a plot: an SVG text that is read on light and on dark ground. Pure. */
import type { Row } from './rows.ts';
import { type Case, TITLES, type What } from './ways.ts';

/** Pixels. */
const SIZE = { name: 250, panel: 330, gap: 76, row: 20, head: 56, block: 26, foot: 20 } as const;

const STYLE = `
svg { color-scheme: light dark; font: 12px system-ui, sans-serif; }
text { fill: #24292f; } .faint { fill: #57606a; } .title { font-weight: 600; }
.line { stroke: #d0d7de; } .range { stroke: #24292f; }
.base { fill: #8c959f; } .ours { fill: #2f6feb; } .ansible { fill: #d9730d; }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3; } .faint { fill: #9198a1; } .line { stroke: #3d444d; } .range { stroke: #e6edf3; }
}
`;

const escaped = (text: string): string => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
const word = (x: number, y: number, text: string, kind = ''): string =>
  `<text x="${x.toFixed(1)}" y="${y}"${kind && ` class="${kind}"`}>${escaped(text)}</text>`;

/** Seconds, on an axis of powers of ten. */
interface Axis {
  least: number;
  most: number;
}

/** Whole powers of ten around all values. */
export function axisOf(values: readonly number[]): Axis {
  const power = (value: number, round: (n: number) => number): number => 10 ** round(Math.log10(value));
  return { least: power(Math.min(...values), Math.floor), most: power(Math.max(...values), Math.ceil) };
}

const place = ({ least, most }: Axis, value: number): number =>
  (SIZE.panel * Math.log10(value / least)) / Math.max(1, Math.log10(most / least));

const kindOf = ({ way }: Case): string =>
  way === 'ours' ? 'ours' : way === 'floor' || way === 'start' ? 'base' : 'ansible';

function bar(row: Row, axis: Axis, left: number, y: number): string[] {
  const x = (value: number): string => (left + place(axis, value)).toFixed(1);
  return [
    `<rect class="${kindOf(row.case)}" x="${left}" y="${y + 3}" width="${place(axis, row.wall).toFixed(1)}" height="13" rx="2"/>`,
    `<line class="range" x1="${x(row.least)}" y1="${y + 9.5}" x2="${x(row.most)}" y2="${y + 9.5}"/>`,
    word(left + place(axis, row.most) + 4, y + 14, `${row.wall.toPrecision(row.wall < 10 ? 2 : 3)} s`),
  ];
}

const titleOf = ({ hosts, delay }: Case): string =>
  `${hosts} servers${delay === 0 ? '' : `, ${delay} ms round trip`}`;

/** `foot`: lines below it all. */
export function plot(rows: readonly Row[], foot: readonly string[]): string {
  const axis = axisOf(rows.flatMap(({ least, most }) => [least, most]));
  const panels: [What, string][] = [
    ['cold', 'Set up from nothing'],
    ['no-op', 'Again, nothing to do'],
  ];
  const leftOf = (i: number): number => SIZE.name + i * (SIZE.panel + SIZE.gap);
  const lines: string[] = [];
  let y: number = SIZE.head;
  const titles = [...new Set(rows.map((row) => titleOf(row.case)))];
  for (const title of titles) {
    const here = rows.filter((row) => titleOf(row.case) === title);
    lines.push(word(8, y + 16, title, 'title'));
    y += SIZE.block;
    for (const way of new Set(here.map((row) => row.case.way))) {
      lines.push(word(8, y + 14, TITLES[way]));
      panels.forEach(([what], i) => {
        const row = here.find((one) => one.case.way === way && (one.what === what || one.what === 'once'));
        if (row !== undefined) lines.push(...bar(row, axis, leftOf(i), y));
      });
      y += SIZE.row;
    }
  }
  const heads = panels.flatMap(([, title], i) => [
    word(leftOf(i), 18, title, 'title'),
    word(leftOf(i), 34, 'seconds, each line ten times the one before; medians, thin: all rounds', 'faint'),
    ...ticks(axis).map(
      (value) =>
        `<line class="line" x1="${(leftOf(i) + place(axis, value)).toFixed(1)}" y1="${SIZE.head - 8}" x2="${(leftOf(i) + place(axis, value)).toFixed(1)}" y2="${y}"/>`,
    ),
  ]);
  const height = y + 12 + foot.length * SIZE.foot;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${leftOf(panels.length)} ${height}" role="img">`,
    '<title>Setting servers up, in several ways</title>',
    `<style>${STYLE}</style>`,
    ...heads,
    ...lines,
    ...foot.map((text, i) => word(8, y + 24 + i * SIZE.foot, text, 'faint')),
    '</svg>',
    '',
  ].join('\n');
}

function ticks({ least, most }: Axis): number[] {
  const all: number[] = [];
  for (let value = least; value <= most * 1.001; value *= 10) all.push(value);
  return all;
}
