/** The plot below: bytes that each path has carried so far, both directions. */

import { drawMarks } from './marks.js';
/** @import { Visit } from './data.js' */
import { axesOf, bytesText, COLORS, colorOf, commonOf } from './theme.js';

/**
 * @param {Visit} visit
 * @returns {PlotRows}
 */
export function growthRows({ from, to, steps, growth, paths }) {
  const width = (to - from) / steps;
  const times = Array.from({ length: steps + 1 }, (_, i) => from + i * width);
  return [times, ...paths.map((_, i) => [0, ...growth.subarray(i * steps, (i + 1) * steps)])];
}

/**
 * @param {string} key
 * @param {Visit} visit
 * @param {{ hidden: Set<number>, width: number }} state
 * @returns {PlotOptions}
 */
export function growthOptions(key, visit, { hidden, width }) {
  const { x, ...common } = commonOf(key, visit);
  const most = visit.growth.reduce((a, b) => Math.max(a, b), 1);
  return {
    ...common,
    padding: [10, 12, 0, 0],
    width,
    height: 140,
    scales: { x, y: { range: () => [0, most * 1.05] } },
    series: [
      {},
      ...visit.paths.map(({ number }, i) => ({
        stroke: () => colorOf(number),
        width: 1.8,
        dash: [[], [6, 3], [2, 3], [8, 3, 2, 3]][Math.floor(number / COLORS) % 4],
        points: { show: false },
        show: !hidden.has(i),
      })),
    ],
    axes: axesOf('bytes so far', (_, splits) => splits.map(bytesText), true),
    hooks: { draw: [(plot) => drawMarks(plot, visit, false)] },
  };
}
