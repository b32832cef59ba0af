/** What lies behind the packets: which path is in force, navigation, load event, packets past the tunnels. */

/** @import { Visit } from './data.js' */
import { lastBefore } from './data.js';
import { colorOf, theme } from './theme.js';

/** Pixels of the band on top. */
const BAND = 9;
/** Below this many pixels a change of path, the bands behind the packets would only flicker. */
const NARROW = 4;

/**
 * Calls back for each stretch of time in which a path is in force and that can be seen.
 * @param {Plot} plot
 * @param {Visit} visit
 * @param {(from: number, to: number, number: number, path: number) => void} each Canvas pixels; number and place of the path.
 */
function eachStretch(plot, visit, each) {
  const { left, width } = plot.bbox;
  const low = plot.posToVal(0, 'x');
  const high = plot.posToVal(width / devicePixelRatio, 'x');
  const first = Math.max(0, lastBefore(visit.switches, low));
  for (let i = first; i < visit.switches.length && visit.switches[i] <= high; i++) {
    const until = i + 1 < visit.switches.length ? visit.switches[i + 1] : high;
    const from = Math.max(left, plot.valToPos(visit.switches[i], 'x', true));
    const to = Math.min(left + width, plot.valToPos(until, 'x', true));
    const path = visit.current[i];
    if (to > from) each(from, to, visit.paths[path].number, path);
  }
}

/**
 * Behind everything, a breath of the path's colour; not where it would only flicker.
 * @param {Plot} plot
 * @param {Visit} visit
 * @param {Set<number>} hidden
 */
export function drawTints(plot, visit, hidden) {
  const { ctx, bbox } = plot;
  let stretches = 0;
  eachStretch(plot, visit, () => stretches++);
  if (stretches === 0 || bbox.width / stretches < NARROW * devicePixelRatio) return;
  ctx.save();
  ctx.globalAlpha = 0.1;
  eachStretch(plot, visit, (from, to, number, path) => {
    ctx.fillStyle = colorOf(number);
    if (!hidden.has(path)) ctx.fillRect(from, bbox.top, to - from, bbox.height);
  });
  ctx.restore();
}

/**
 * The band on top: the path in force.
 * @param {Plot} plot
 * @param {Visit} visit
 * @param {Set<number>} hidden
 */
export function drawCurrent(plot, visit, hidden) {
  const { ctx, bbox } = plot;
  ctx.save();
  eachStretch(plot, visit, (from, to, number, path) => {
    ctx.fillStyle = theme.surface;
    ctx.fillRect(from, bbox.top, to - from, BAND * devicePixelRatio);
    ctx.fillStyle = colorOf(number);
    // A hairline parts neighbours where there is room for one.
    const gap = to - from > NARROW * devicePixelRatio ? devicePixelRatio : 0;
    if (!hidden.has(path)) ctx.fillRect(from + gap, bbox.top, to - from - gap, BAND * devicePixelRatio);
  });
  ctx.restore();
}

/**
 * An upright line with a word at its foot, inside the plot.
 * @param {Plot} plot
 * @param {number} time
 * @param {string} word
 */
function drawMark(plot, time, word) {
  const { ctx, bbox } = plot;
  const x = plot.valToPos(time, 'x', true);
  if (x < bbox.left - 1 || x > bbox.left + bbox.width + 1) return;
  const px = devicePixelRatio;
  ctx.save();
  ctx.strokeStyle = theme.mark;
  ctx.lineWidth = 1.5 * px;
  ctx.setLineDash([5 * px, 3 * px]);
  ctx.beginPath();
  ctx.moveTo(x, bbox.top + BAND * px);
  ctx.lineTo(x, bbox.top + bbox.height);
  ctx.stroke();
  if (word !== '') {
    ctx.font = `${12 * px}px system-ui, sans-serif`;
    const width = ctx.measureText(word).width + 8 * px;
    const left = x + width > bbox.left + bbox.width ? x - width : x;
    const top = bbox.top + bbox.height - 18 * px;
    ctx.fillStyle = theme.surface;
    ctx.globalAlpha = 0.85;
    ctx.fillRect(left + px, top, width - 2 * px, 16 * px);
    ctx.globalAlpha = 1;
    ctx.fillStyle = theme.text;
    ctx.textAlign = 'left';
    ctx.textBaseline = 'middle';
    ctx.fillText(word, left + 4 * px, top + 8 * px);
  }
  ctx.restore();
}

/**
 * @param {Plot} plot
 * @param {Visit} visit
 * @param {boolean} words
 */
export function drawMarks(plot, visit, words) {
  if (visit.from < 0) drawMark(plot, 0, words ? 'go' : '');
  if (visit.loaded !== null) drawMark(plot, visit.loaded, words ? `load ${visit.loaded.toFixed(3)} s` : '');
}

/**
 * Packets past the tunnels, as triangles on the axis.
 * @param {Plot} plot
 * @param {Visit} visit
 */
export function drawLeaks(plot, visit) {
  const { ctx } = plot;
  const size = 7 * devicePixelRatio;
  const y = plot.valToPos(0, 'y', true);
  ctx.save();
  ctx.fillStyle = theme.bad;
  for (const time of visit.leaks) {
    const x = plot.valToPos(time, 'x', true);
    ctx.beginPath();
    ctx.moveTo(x, y - size);
    ctx.lineTo(x + size, y + size);
    ctx.lineTo(x - size, y + size);
    ctx.fill();
  }
  ctx.restore();
}
