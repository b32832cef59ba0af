/** Plots come when their visit is near the window and go when it is far: hundreds of canvases would fill the memory. */

/** @import { Visit } from './data.js' */
import { pathAt, visitOf } from './data.js';
import { growthOptions, growthRows } from './growth.js';
import { isUp, nearestPacket, packetsOptions } from './packets.js';

/** @typedef {{ packets: Plot, growth: Plot, visit: Visit, hidden: Set<number>, resize: ResizeObserver }} Drawing */

/** @type {Map<HTMLElement, Drawing>} By the figure. */
const drawings = new Map();

/** @type {WeakMap<HTMLElement, Set<number>>} Paths that are hidden, also while the figure is not drawn. */
const hiddenPaths = new WeakMap();

/** @param {HTMLElement} figure */
function hiddenOf(figure) {
  const hidden = hiddenPaths.get(figure) ?? new Set();
  hiddenPaths.set(figure, hidden);
  return hidden;
}

/**
 * Says below the plot what is under the pointer.
 * @param {HTMLElement} figure
 * @param {Visit} visit
 * @param {Plot} plot
 */
function tellCursor(figure, visit, plot) {
  const readout = /** @type {HTMLElement} */ (figure.querySelector('.readout'));
  const spot = /** @type {HTMLElement} */ (plot.over.querySelector('.spot') ?? document.createElement('i'));
  if (spot.className === '') {
    spot.className = 'spot';
    plot.over.append(spot);
  }
  const { left = -1, top = -1 } = plot.cursor;
  spot.hidden = true;
  if (left < 0) {
    readout.textContent = '';
    return;
  }
  const time = plot.posToVal(left, 'x');
  const path = pathAt(visit, time);
  const words = [`${time.toFixed(4)} s`];
  if (path !== undefined) words.push(`${path.name} in force`);
  const near = nearestPacket(plot, visit, hiddenOf(figure), left, top);
  if (near >= 0) {
    const up = isUp(visit.tags[near]);
    const size = visit.sizes[near];
    const { name } = visit.paths[visit.tags[near] & 127];
    words.push(`packet: ${size} B ${up ? 'up' : 'down'} on ${name} at ${visit.times[near].toFixed(4)} s`);
    spot.hidden = false;
    spot.style.left = `${plot.valToPos(visit.times[near], 'x')}px`;
    spot.style.top = `${plot.valToPos(up ? size : -size, 'y')}px`;
  }
  readout.textContent = words.join(' · ');
}

/** @param {HTMLElement} figure */
export function drawFigure(figure) {
  if (drawings.has(figure)) return;
  const key = figure.dataset.plot ?? '';
  const visit = visitOf(key);
  const place = /** @type {HTMLElement | null} */ (figure.querySelector('.drawing'));
  if (visit === null || place === null) return;
  const hidden = hiddenOf(figure);
  const width = Math.max(240, place.clientWidth);
  const tell = (/** @type {Plot} */ plot) => tellCursor(figure, visit, plot);
  const packets = new uPlot(
    packetsOptions(key, visit, { hidden, width, tell }),
    [
      [visit.from, visit.to],
      [null, null],
    ],
    place,
  );
  const growth = new uPlot(growthOptions(key, visit, { hidden, width }), growthRows(visit), place);
  const resize = new ResizeObserver(() => {
    const now = Math.max(240, place.clientWidth);
    for (const plot of [packets, growth])
      if (plot.width !== now) plot.setSize({ width: now, height: plot.height });
  });
  resize.observe(place);
  drawings.set(figure, { packets, growth, visit, hidden, resize });
}

/** @param {HTMLElement} figure */
export function dropFigure(figure) {
  const drawing = drawings.get(figure);
  if (drawing === undefined) return;
  drawing.resize.disconnect();
  drawing.packets.destroy();
  drawing.growth.destroy();
  drawings.delete(figure);
}

/**
 * @param {HTMLElement} figure
 * @param {number} path
 */
export function togglePath(figure, path) {
  const hidden = hiddenOf(figure);
  if (!hidden.delete(path)) hidden.add(path);
  const drawing = drawings.get(figure);
  drawing?.growth.setSeries(path + 1, { show: !hidden.has(path) });
  drawing?.packets.redraw(false);
  return !hidden.has(path);
}

/**
 * Keys on a plot: closer, further, to the sides, all.
 * @param {HTMLElement} figure
 * @param {string} key
 * @returns {boolean} Was it one of them?
 */
export function zoom(figure, key) {
  const drawing = drawings.get(figure);
  if (drawing === undefined) return false;
  const { packets, growth, visit } = drawing;
  const { min = visit.from, max = visit.to } = packets.scales.x;
  const width = max - min;
  /** @type {Record<string, [number, number]>} */
  const ranges = {
    '+': [min + width / 4, max - width / 4],
    '-': [Math.max(visit.from, min - width / 2), Math.min(visit.to, max + width / 2)],
    ArrowLeft: [min - width / 5, max - width / 5],
    ArrowRight: [min + width / 5, max + width / 5],
    0: [visit.from, visit.to],
  };
  const range = ranges[key === '=' ? '+' : key === '−' ? '-' : key];
  if (range === undefined) return false;
  const seen = range[1] > visit.from && range[0] < visit.to && range[1] - range[0] > 1e-4;
  if (seen) for (const plot of [packets, growth]) plot.setScale('x', { min: range[0], max: range[1] });
  return true;
}

/**
 * Fits the plots into the paper, or, without a width, into the window again.
 * @param {number} [width]
 */
export function resizeAll(width) {
  for (const [figure, { packets, growth }] of drawings)
    for (const plot of [packets, growth])
      plot.setSize({ width: width ?? Math.max(240, figure.clientWidth), height: plot.height });
}

export function redrawAll() {
  for (const { packets, growth } of drawings.values()) {
    packets.redraw(false);
    growth.redraw(false);
  }
}
