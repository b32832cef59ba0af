/** Colours as the style sheet has them, for light and for dark. */

/** @import { Visit } from './data.js' */

export const COLORS = 8;

/** @typedef {{ paths: string[], text: string, dim: string, line: string, surface: string, bad: string, mark: string }} Theme */

/** @returns {Theme} */
function readTheme() {
  const style = getComputedStyle(document.documentElement);
  /** @param {string} name */
  const value = (name) => style.getPropertyValue(`--${name}`).trim();
  return {
    paths: Array.from({ length: COLORS }, (_, i) => value(`c${i}`)),
    text: value('text'),
    dim: value('dim'),
    line: value('line'),
    surface: value('surface'),
    bad: value('bad'),
    mark: value('mark'),
  };
}

export let theme = readTheme();

/** Reads them again: light has become dark, or dark light. */
export function renewTheme() {
  theme = readTheme();
}

/** @param {number} number A path's number in the run. */
export const colorOf = (number) => theme.paths[number % COLORS];

const FONT = '12px system-ui, sans-serif';

/** @param {number} bytes */
export function bytesText(bytes) {
  const units = ['B', 'kB', 'MB', 'GB'];
  let value = bytes;
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${Number(value.toPrecision(3))} ${units[unit]}`;
}

/**
 * Seconds at a plot's foot, with as many decimals as the steps between them ask for.
 * @param {Plot} _
 * @param {number[]} splits
 */
function secondsText(_, splits) {
  const step = splits.length > 1 ? splits[1] - splits[0] : 1;
  const decimals = Math.max(0, Math.min(6, -Math.floor(Math.log10(step) + 1e-9)));
  return splits.map((value) => `${value.toFixed(decimals)} s`);
}

/**
 * The look that both plots share.
 * @param {string} label
 * @param {(plot: Plot, splits: number[]) => string[]} values
 * @param {boolean} foot Does it say the seconds?
 * @returns {import('uplot').Axis[]}
 */
export function axesOf(label, values, foot) {
  const look = {
    stroke: () => theme.dim,
    grid: { stroke: () => theme.line, width: 1 },
    ticks: { stroke: () => theme.line, width: 1, size: 4 },
    font: FONT,
    labelFont: FONT,
  };
  return [
    { ...look, values: foot ? secondsText : () => [], size: foot ? 26 : 6, space: 70, gap: 3 },
    { ...look, values, size: 58, label, labelSize: 18, labelGap: 0, space: 26, gap: 4 },
  ];
}

/**
 * @param {string} key
 * @param {Visit} visit
 * @returns {Pick<PlotOptions, 'cursor' | 'legend' | 'padding'> & { x: import('uplot').Scale }}
 */
export function commonOf(key, { from, to }) {
  const room = (to - from) * 0.01;
  return {
    cursor: {
      y: false,
      points: { show: false },
      drag: { x: true, y: false, setScale: true },
      sync: { key, scales: ['x', null], setSeries: false },
    },
    legend: { show: false },
    padding: [0, 12, 0, 0],
    x: {
      time: false,
      range: (_, low, high) => (low <= from && high >= to ? [from - room, to + room] : [low, high]),
    },
  };
}
