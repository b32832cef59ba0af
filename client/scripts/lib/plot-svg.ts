/** A schedule as an SVG picture: a row a path. Pure. */
import { binsOf, type Plot, partsOf, percent, ticksOf } from './plot.ts';

const WIDTH = 800;
const ROW = { height: 22, gap: 8 };
const EDGE = { left: 110, top: 44, right: 80, bottom: 34 };
/** Okabe and Ito's colours, which colour-blind eyes tell apart, as the report has them. */
const COLOURS = ['#0072b2', '#e69f00', '#009e73', '#cc79a7', '#56b4e9', '#d55e00', '#b5a800', '#444444'];

const escaped = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');

/** Bins that look alike, joined; hundredths of opacity. */
function bars(cells: readonly number[]): { from: number; to: number; part: number }[] {
  const found: { from: number; to: number; part: number }[] = [];
  for (const [i, cell] of cells.entries()) {
    const part = cell > 0 ? Math.max(0.05, Math.round(cell * 100) / 100) : 0;
    const last = found.at(-1);
    if (last?.part === part) last.to = i + 1;
    else found.push({ from: i, to: i + 1, part });
  }
  return found.filter(({ part }) => part > 0);
}

const words = (x: number, y: number, text: string, more = ''): string =>
  `<text x="${x}" y="${y}"${more}>${escaped(text)}</text>`;

/** A whole SVG file. A part of a pixel shows as a lighter one. */
export function plotSvg(plot: Plot): string {
  const { names, title } = plot;
  const height = EDGE.top + names.length * (ROW.height + ROW.gap) + EDGE.bottom;
  const width = EDGE.left + WIDTH + EDGE.right;
  const parts = partsOf(plot);
  const rows = binsOf(plot, WIDTH).flatMap((cells, path) => {
    const y = EDGE.top + path * (ROW.height + ROW.gap);
    const fill = COLOURS[path % COLOURS.length];
    const boxes = bars(cells).map(
      ({ from, to, part }) =>
        `<rect x="${EDGE.left + from}" y="${y}" width="${to - from}" height="${ROW.height}" fill="${fill}"` +
        `${part < 1 ? ` fill-opacity="${part}"` : ''}/>`,
    );
    const middle = y + ROW.height - 6;
    const name = words(EDGE.left - 10, middle, names[path] ?? '', ' text-anchor="end"');
    return [name, ...boxes, words(EDGE.left + WIDTH + 10, middle, percent(parts[path] ?? 0))];
  });
  const axis = ticksOf(plot).map(([place, name]) =>
    words(
      EDGE.left + place * WIDTH,
      height - 12,
      name,
      ` text-anchor="${['start', 'middle', 'end'][place * 2]}"`,
    ),
  );
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}"`,
    ' font-family="sans-serif" font-size="14" role="img">',
    `<title>${escaped(title)}</title>`,
    '<rect width="100%" height="100%" fill="#fff"/>',
    words(EDGE.left, 26, title, ' font-size="16"'),
    ...rows,
    ...axis,
    '</svg>\n',
  ].join('\n');
}
