import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { clip, escaped, Raw, scriptJson } from '../../scripts/lib/report/escape.ts';
import { bytes, count, fixed, median, percent, span } from '../../scripts/lib/report/format.ts';
import { Growth, type Points, tagOf, thin } from '../../scripts/lib/report/thin.ts';

test('texts are escaped once, at every depth, and what is raw stays', () => {
  const view = escaped({
    a: '<b title="x">',
    list: [{ c: "it's `&`" }],
    n: 3,
    yes: true,
    style: new Raw('a > b'),
  });
  assert.equal(
    JSON.stringify({ ...(view as object), style: undefined }),
    '{"a":"&lt;b title=&quot;x&quot;&gt;","list":[{"c":"it&#39;s &#96;&amp;&#96;"}],"n":3,"yes":true}',
  );
  assert.equal(String((view as { style: Raw }).style), 'a > b');
  assert.equal(escaped('a\u202eb\u0000c\nd'), 'a b c d');
});

test('JSON in a script element ends no element and reads as it was', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      const text = scriptJson(value);
      assert.ok(!text.includes('<'));
      assert.deepEqual(JSON.parse(text), JSON.parse(JSON.stringify(value)));
    }),
  );
  assert.ok(!scriptJson('</script><!-- ').includes('<'));
  assert.ok(clip('x'.repeat(1e6)).length < 400);
});

test('numbers for people', () => {
  assert.equal(count(1_234_567), '1\u202f234\u202f567');
  assert.equal(fixed(12_345.678, 1), '12\u202f345.7');
  assert.deepEqual([0, 812, 999, 1000, 3_900_000, 5e12].map(bytes), [
    '0 B',
    '812 B',
    '999 B',
    '1.0 kB',
    '3.9 MB',
    '5.0 TB',
  ]);
  assert.deepEqual(
    [percent(0, 0), percent(1, 3), percent(1, 1000), percent(999, 1000), percent(3, 3)],
    ['–', '33 %', '<1 %', '>99 %', '100 %'],
  );
  assert.deepEqual([4.25, 61, 3720, 187_200].map(span), ['4.3 s', '1 min 01 s', '1 h 02 min', '2 d 04 h']);
  assert.deepEqual([median([]), median([3, 1, 2]), median([4, 1])], [undefined, 2, 2.5]);
});

const points = fc
  .array(fc.tuple(fc.double({ min: 0, max: 60, noNaN: true }), fc.nat(1500), fc.nat(9), fc.boolean()), {
    maxLength: 3000,
  })
  .map(
    (list): Points => ({
      times: list.map(([time]) => time),
      sizes: list.map(([, size]) => size),
      tags: list.map(([, , path, out]) => tagOf(path, out)),
    }),
  );

test('thinning keeps to its limit, makes nothing up, and leaves out no path in no direction', () => {
  fc.assert(
    fc.property(points, fc.integer({ min: 20, max: 500 }), (all, limit) => {
      const some = thin(all, limit);
      const rows = ({ times, sizes, tags }: Points) =>
        times.map((time, i) => `${time} ${sizes[i]} ${tags[i]}`);
      const whole = new Set(rows(all));
      assert.ok(some.times.length <= limit || some === all);
      assert.ok(rows(some).every((row) => whole.has(row)));
      assert.deepEqual([...new Set(some.tags)].sort(), [...new Set(all.tags)].sort());
    }),
    { numRuns: 50 },
  );
});

test('growth sums all bytes, each in its step', () => {
  const growth = new Growth(0, 10, 5);
  for (const [path, time, size] of [
    [0, 0, 100],
    [0, 9.99, 50],
    [2, 4, 7],
    [2, 10, 1],
  ] as const)
    growth.add(path, time, size);
  assert.deepEqual(
    [...growth.rows(3)],
    [...[100, 100, 100, 100, 150], ...[0, 0, 0, 0, 0], ...[0, 0, 7, 7, 8]],
  );
});
