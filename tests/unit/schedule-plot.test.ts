import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  binsOf,
  type Plot,
  packetPieces,
  partsOf,
  ticksOf,
  timePieces,
} from '../../client/scripts/lib/plot.ts';
import { plotSvg } from '../../client/scripts/lib/plot-svg.ts';
import { coloursFor, plotText } from '../../client/scripts/lib/plot-text.ts';

const plots = fc
  .array(fc.record({ path: fc.nat(3), packets: fc.integer({ min: 1, max: 500 }) }), {
    minLength: 1,
    maxLength: 60,
  })
  .map((runs): Plot => {
    const pieces = packetPieces(runs);
    const end = pieces.at(-1)?.to ?? 0;
    return { title: 't', names: ['a', 'b', 'c', 'd'], pieces, end, unit: 'packets' };
  });

const sum = (list: readonly number[]): number => list.reduce((a, b) => a + b, 0);

test('each part of the axis is shared out among the paths, and all parts of a path are its part of the whole', () =>
  fc.assert(
    fc.property(plots, fc.integer({ min: 1, max: 200 }), (plot, count) => {
      const rows = binsOf(plot, count);
      for (let bin = 0; bin < count; bin++)
        assert.ok(Math.abs(sum(rows.map((row) => row[bin] ?? 0)) - 1) < 1e-9, `bin ${bin}`);
      const parts = partsOf(plot);
      for (const [path, row] of rows.entries())
        assert.ok(Math.abs(sum(row) / count - (parts[path] ?? 0)) < 1e-9);
    }),
  ));

const TWO: Plot = {
  title: 'rr, seed 1',
  names: ['wgnet1', 'wgnet12'],
  pieces: timePieces(
    [
      { n: 0, at: 0, path: 0 },
      { n: 1, at: 1, path: 1 },
      { n: 2, at: 3, path: 0 },
    ],
    4,
  ),
  ...{ end: 4, unit: 's' },
};

test('a row a path, as wide as the terminal, with shares and axis', () => {
  assert.deepEqual(plotText(TWO, 41, false), [
    'rr, seed 1',
    'wgnet1  ██████            ██████  50.0 %',
    'wgnet12       ████████████        50.0 %',
    '        0 s        2 s       4 s',
  ]);
  for (const columns of [1, 30, 81, 250]) {
    const lines = plotText(TWO, columns, false);
    assert.equal(lines.length, 4);
    for (const line of lines.slice(1)) assert.ok(line.length <= Math.max(columns, 27), `${columns}: ${line}`);
  }
  const faint = {
    ...TWO,
    pieces: [
      { path: 0, from: 0, to: 3.999 },
      { path: 1, from: 3.999, to: 4 },
    ],
  };
  assert.match(plotText(faint, 40, false)[2] ?? '', /░/, 'a trace of a path is never blank');
});

test('colours only where they are wanted', () => {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: it is what colours begin with
  const colour = /\u001b\[/;
  assert.doesNotMatch(plotText(TWO, 80, false).join(), colour);
  assert.match(plotText(TWO, 80, true).join(), colour);
  assert.equal(coloursFor({ isTTY: true }, {}), true);
  assert.equal(coloursFor({ isTTY: true }, { NO_COLOR: '1' }), false);
  assert.equal(coloursFor({ isTTY: true }, { NO_COLOR: '' }), true);
  assert.equal(coloursFor({ isTTY: true }, { TERM: 'dumb' }), false);
  assert.equal(coloursFor({}, {}), false);
});

test('a picture: well-formed, one box a stretch, text escaped', () => {
  const svg = plotSvg({ ...TWO, title: 'a <b> & "c"' });
  assert.match(svg, /^<svg [\s\S]*<\/svg>\n$/u);
  assert.match(svg, /<title>a &lt;b&gt; &amp; &quot;c&quot;<\/title>/);
  const boxes = [...svg.matchAll(/<rect x="(\d+)" y="(\d+)" width="(\d+)"/g)].map(([, x, y, width]) => [
    x,
    y,
    width,
  ]);
  assert.deepEqual(boxes, [
    ['110', '44', '200'],
    ['710', '44', '200'],
    ['310', '74', '400'],
  ]);
  const open = svg.match(/<(?!\/)[a-z]+/g)?.length ?? 0;
  const closed = (svg.match(/<\/[a-z]+>/g)?.length ?? 0) + (svg.match(/\/>/g)?.length ?? 0);
  assert.equal(open, closed);
});

test('a plot of nothing is no crash', () => {
  const empty: Plot = { title: '', names: ['a'], pieces: [], end: 0, unit: 'packets' };
  assert.deepEqual(binsOf(empty, 3), [[0, 0, 0]]);
  assert.deepEqual(partsOf(empty), [0]);
  assert.equal(plotText(empty, 80, false).length, 3);
  assert.ok(plotSvg(empty).includes('0.0 %'));
  assert.deepEqual(
    ticksOf({ end: 2000, unit: 'packets' }).map(([, name]) => name),
    ['0', '1000', '2000 packets'],
  );
});
