/** The plot of packets: time across, size up for a packet from the client, down for one to it. */

/** @import { Visit } from './data.js' */
import { lastBefore } from './data.js';
import { drawCurrent, drawLeaks, drawMarks, drawTints } from './marks.js';
import { axesOf, COLORS, colorOf, commonOf, theme } from './theme.js';

/**
 * A packet's own mark. From the ninth path on colours come again, with another shape.
 * @param {CanvasRenderingContext2D} ctx
 * @param {number} shape
 * @param {number} x
 * @param {number} y
 * @param {number} r
 */
function drawShape(ctx, shape, x, y, r) {
  if (shape === 0) ctx.fillRect(x - r, y - r, 2 * r, 2 * r);
  else if (shape === 1) ctx.strokeRect(x - 1.3 * r, y - 1.3 * r, 2.6 * r, 2.6 * r);
  else {
    ctx.beginPath();
    if (shape === 2) {
      ctx.moveTo(x, y - 2 * r);
      ctx.lineTo(x + 2 * r, y + 1.5 * r);
      ctx.lineTo(x - 2 * r, y + 1.5 * r);
      ctx.fill();
    } else {
      ctx.moveTo(x - 1.5 * r, y - 1.5 * r);
      ctx.lineTo(x + 1.5 * r, y + 1.5 * r);
      ctx.moveTo(x + 1.5 * r, y - 1.5 * r);
      ctx.lineTo(x - 1.5 * r, y + 1.5 * r);
      ctx.stroke();
    }
  }
}

/** @param {number} tag */
export const isUp = (tag) => tag >= 128;

/**
 * @param {Plot} plot
 * @param {Visit} visit
 * @param {Set<number>} hidden
 */
function drawPackets(plot, visit, hidden) {
  const { ctx, bbox } = plot;
  const px = devicePixelRatio;
  const zero = plot.valToPos(0, 'y', true);
  const { times, sizes, tags, paths } = visit;
  const first = Math.max(0, lastBefore(times, plot.posToVal(0, 'x')));
  const high = plot.posToVal(bbox.width / px, 'x');
  ctx.save();
  ctx.beginPath();
  ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
  ctx.clip();
  ctx.lineWidth = px;
  for (let i = first; i < times.length && times[i] <= high; i++) {
    const path = tags[i] & 127;
    if (hidden.has(path)) continue;
    const { number } = paths[path];
    const x = plot.valToPos(times[i], 'x', true);
    const y = plot.valToPos(isUp(tags[i]) ? sizes[i] : -sizes[i], 'y', true);
    ctx.fillStyle = colorOf(number);
    ctx.strokeStyle = ctx.fillStyle;
    ctx.globalAlpha = 0.3;
    ctx.fillRect(x - px / 2, Math.min(y, zero), px, Math.abs(y - zero));
    ctx.globalAlpha = 1;
    drawShape(ctx, Math.floor(number / COLORS) % 4, x, y, 1.5 * px);
  }
  ctx.fillStyle = theme.dim;
  ctx.fillRect(bbox.left, zero - px / 2, bbox.width, px);
  ctx.restore();
}

/**
 * The packet nearest to a place of the plot, by pixels; -1 where none is near.
 * @param {Plot} plot
 * @param {Visit} visit
 * @param {Set<number>} hidden
 * @param {number} left
 * @param {number} top
 */
export function nearestPacket(plot, visit, hidden, left, top) {
  const { times, sizes, tags } = visit;
  const reach = 14;
  const last = plot.posToVal(left + reach, 'x');
  let nearest = -1;
  let least = reach ** 2;
  for (let i = Math.max(0, lastBefore(times, plot.posToVal(left - reach, 'x'))); i < times.length; i++) {
    if (times[i] > last) break;
    if (hidden.has(tags[i] & 127)) continue;
    const x = plot.valToPos(times[i], 'x') - left;
    const y = plot.valToPos(isUp(tags[i]) ? sizes[i] : -sizes[i], 'y') - top;
    if (x * x + y * y < least) {
      least = x * x + y * y;
      nearest = i;
    }
  }
  return nearest;
}

/**
 * Largest size up and down, with room for the band; the same for all visits without larger packets than usual.
 * @param {Visit} visit
 * @returns {[number, number]}
 */
function sizeRange({ sizes, tags }) {
  let [up, down] = [1500, 1500];
  for (let i = 0; i < sizes.length; i++)
    if (isUp(tags[i])) up = Math.max(up, sizes[i]);
    else down = Math.max(down, sizes[i]);
  const all = up + down;
  return [-down - 0.12 * all, up + 0.1 * all];
}

/**
 * @param {string} key
 * @param {Visit} visit
 * @param {{ hidden: Set<number>, width: number, tell: (plot: Plot) => void }} state
 * @returns {PlotOptions}
 */
export function packetsOptions(key, visit, { hidden, width, tell }) {
  const { x, ...common } = commonOf(key, visit);
  const range = sizeRange(visit);
  return {
    ...common,
    width,
    height: 250,
    scales: { x, y: { range: () => range } },
    series: [{}, { show: true, points: { show: false } }],
    axes: axesOf('down ← bytes → up', (_, splits) => splits.map((size) => String(Math.abs(size))), false),
    hooks: {
      drawClear: [(plot) => drawTints(plot, visit, hidden)],
      draw: [
        (plot) => {
          drawPackets(plot, visit, hidden);
          drawCurrent(plot, visit, hidden);
          drawMarks(plot, visit, true);
          drawLeaks(plot, visit);
        },
      ],
      setCursor: [tell],
    },
  };
}
