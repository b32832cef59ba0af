/** Figures side by side as bars: an SVG text that is read on light and on dark ground. Pure. */

/** Pixels. */
const SIZE = { name: 245, panel: 130, gap: 66, row: 22, head: 58, foot: 24 } as const;
/** Panels beside each other; the next ones stand below. */
const ACROSS = 4;

export interface Bar {
  value: number;
  /** Said behind the bar. */
  text: string;
  /** Where a thin line goes from and to: the least and the most. */
  range?: [number, number];
}

export interface Panel<Row> {
  title: string;
  unit: string;
  /** Where a line stands, as "no migration" has it. */
  mark?: number;
  of(row: Row): Bar | undefined;
}

/** Grey for what others are compared to, one colour for what is ours, another for what is not. */
export type Kind = 'base' | 'ours' | 'original';

interface Drawn<Row> {
  row: Row;
  name: string;
  kind: Kind;
}

interface Plot<Row> {
  title: string;
  panels: readonly Panel<Row>[];
  rows: readonly Drawn<Row>[];
  /** Lines below it all. */
  foot: readonly string[];
}

const STYLE = `
svg { color-scheme: light dark; font: 12px system-ui, sans-serif; }
text { fill: #24292f; } .faint { fill: #57606a; } .title { font-weight: 600; }
.line { stroke: #8c959f; } .range { stroke: #24292f; }
.base { fill: #8c959f; } .ours { fill: #2f6feb; } .original { fill: #d9730d; }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3; } .faint { fill: #9198a1; }
  .line { stroke: #656c76; } .range { stroke: #e6edf3; }
  .base { fill: #656c76; } .ours { fill: #4c8dff; } .original { fill: #f0883e; }
}`;

const escaped = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');

const word = (x: number, y: number, text: string, kind = ''): string =>
  `<text x="${x.toFixed(1)}" y="${y}"${kind && ` class="${kind}"`}>${escaped(text)}</text>`;

function panelLines<Row>(panel: Panel<Row>, rows: readonly Drawn<Row>[], left: number): string[] {
  const bars = rows.map(({ row }) => panel.of(row));
  const most = Math.max(
    panel.mark ?? 0,
    ...bars.map((bar) => (bar === undefined ? 0 : (bar.range?.[1] ?? bar.value))),
  );
  const wide = (value: number): number => (most === 0 ? 0 : (SIZE.panel * value) / most);
  const bottom = SIZE.head + rows.length * SIZE.row;
  const lines = [word(left, 20, panel.title, 'title'), word(left, 38, panel.unit, 'faint')];
  lines.push(`<line class="line" x1="${left}" y1="${SIZE.head - 6}" x2="${left}" y2="${bottom}"/>`);
  for (const [i, { kind }] of rows.entries()) {
    const bar = bars[i];
    const top = SIZE.head + i * SIZE.row;
    const base = top + 14;
    if (bar === undefined) {
      lines.push(word(left + 4, base, '–', 'faint'));
      continue;
    }
    const width = wide(bar.value);
    lines.push(
      `<rect class="${kind}" x="${left}" y="${top + 3}" width="${width.toFixed(1)}" height="14" rx="2"/>`,
    );
    const [from, to] = (bar.range ?? [bar.value, bar.value]).map((value) => left + wide(value)) as [
      number,
      number,
    ];
    if (bar.range !== undefined)
      lines.push(
        `<line class="range" x1="${from.toFixed(1)}" y1="${top + 10}" x2="${to.toFixed(1)}" y2="${top + 10}"/>`,
      );
    lines.push(word(Math.max(to, left + width) + 4, base, bar.text));
  }
  if (panel.mark === undefined) return lines;
  const x = (left + wide(panel.mark)).toFixed(1);
  lines.push(
    `<line class="line" stroke-dasharray="3 3" x1="${x}" y1="${SIZE.head - 6}" x2="${x}" y2="${bottom}"/>`,
  );
  return lines;
}

/** Some panels beside each other, with the rows' names before them. */
function block<Row>(panels: readonly Panel<Row>[], rows: readonly Drawn<Row>[], top: number): string[] {
  const names = rows.map(({ name }, i) => word(8, SIZE.head + i * SIZE.row + 14, name));
  const bars = panels.flatMap((panel, i) => panelLines(panel, rows, SIZE.name + i * (SIZE.panel + SIZE.gap)));
  return [`<g transform="translate(0 ${top})">`, ...names, ...bars, '</g>'];
}

export function barPlot<Row>({ title, panels, rows, foot }: Plot<Row>): string {
  const across = Math.min(ACROSS, panels.length);
  const width = SIZE.name + across * (SIZE.panel + SIZE.gap);
  const tall = SIZE.head + (rows.length + 1) * SIZE.row;
  const blocks = Array.from({ length: Math.ceil(panels.length / across) }, (_, i) =>
    panels.slice(i * across, (i + 1) * across),
  );
  const below = blocks.length * tall;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${below + foot.length * SIZE.foot}" role="img">`,
    `<title>${escaped(title)}</title>`,
    `<style>${STYLE}</style>`,
    ...blocks.flatMap((some, i) => block(some, rows, i * tall)),
    ...foot.map((text, i) => word(8, below + i * SIZE.foot, text, 'faint')),
    '</svg>',
    '',
  ].join('\n');
}
