/** What follows from the paths that are left out, and what the watch over them reads and says. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { detour, readLook } from '../../client/scripts/lib/health.ts';
import { healthLine, healthWords } from '../../client/scripts/lib/health-log.ts';

test('a detour is no path that is left out while there is another, and the current one where it can be', () => {
  const out = new Set([1]);
  assert.equal(detour(0, 2, 3, out), 0);
  assert.equal(detour(1, 0, 3, out), 0);
  assert.equal(detour(1, 1, 3, out), 2);
  assert.equal(detour(1, undefined, 3, new Set([1, 2])), 0);
  assert.equal(detour(1, 2, 3, new Set([0, 1, 2])), 2);
  assert.equal(detour(1, undefined, 3, new Set([0, 1, 2])), 1);
  const paths = fc.integer({ min: 1, max: 9 });
  fc.assert(
    fc.property(
      paths,
      fc.nat(),
      fc.option(fc.nat(), { nil: undefined }),
      fc.array(fc.nat(8)),
      (n, p, c, o) => {
        const [planned, current, left] = [
          p % n,
          c === undefined ? undefined : c % n,
          new Set(o.filter((x) => x < n)),
        ];
        const used = detour(planned, current, n, left);
        assert.ok(used >= 0 && used < n);
        if (left.size < n) assert.ok(!left.has(used));
        if (!left.has(planned)) assert.equal(used, planned);
        else if (current !== undefined && (!left.has(current) || left.size === n))
          assert.equal(used, current);
      },
    ),
  );
});

test('what the watch prints is read: who is up, whom wg knows', () => {
  const text = [
    '1: lo: <LOOPBACK,UP,LOWER_UP> mtu 65536',
    '2: wgnet1: <POINTOPOINT,UP,LOWER_UP> mtu 1420',
    '5: wgnet2@if4: <UP> mtu 1420',
    '=',
    'wg0\tKEY=\t1700000001',
    'wgnet1\tKEY=\t1700000000',
    '=',
    'wg0\tKEY=\t1\t2',
    'wgnet1\tKEY=\t300\t4000',
    '',
  ].join('\n');
  assert.deepEqual(
    [...readLook(text, ['wgnet1', 'wgnet2', 'wgnet3'])],
    [
      ['wgnet1', { up: true, wg: { handshake: 1_700_000_000, received: 300, sent: 4000 } }],
      ['wgnet2', { up: true, wg: undefined }],
      ['wgnet3', { up: false, wg: undefined }],
    ],
  );
  assert.equal(readLook('=\n=\n', ['wgnet1']).get('wgnet1')?.up, false);
});

test('a change is a line of the log, and words for a person', () => {
  const names = ['wgnet1', 'wgnet2', 'wgnet3'];
  const change = {
    left: [{ path: 1, reason: 'silent' as const }],
    back: [0],
    out: new Set([1]),
    at: 0,
  };
  assert.deepEqual(healthLine(change, names, 5), {
    event: 'health',
    time: 5,
    out: ['wgnet2'],
    back: ['wgnet1'],
    healthy: ['wgnet1', 'wgnet3'],
  });
  assert.deepEqual(healthWords(change, names), [
    'wgnet2: nothing came back for 25 s; left out until it answers',
    'wgnet1: is back',
  ]);
  const none = healthWords({ ...change, back: [], out: new Set([0, 1, 2]) }, names);
  assert.match(none.at(-1) ?? '', /^no path has a fresh handshake; nothing gets out until one does/);
});
