import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setupTrouble, timed } from '../../bench/figures.ts';

test('only a success that a success follows at once has a time of its own', () => {
  const attempts = [
    { started: 40, status: 'success' },
    { started: 0, status: 'success' },
    { started: 3, status: 'success' },
    { started: 10, status: 'timeout' },
    { started: 33, status: 'success' },
  ];
  assert.deepEqual(
    timed(attempts).map(({ started, took }) => [started, took]),
    [
      [0, 3],
      [33, 7],
    ],
  );
  assert.deepEqual(timed([]), []);
});

test('a set-up that failed says which host and why, as its standard output does', () => {
  const stdout = [
    'ok: [vpn1] nothing to change',
    '\u001b[31mfailed:\u001b[39m [vpn2] packages: apt-get ended with 100',
    '      E: no such package',
    '      next: apt-get update',
    'vpn1  : ok=9     changed=0    unreachable=0    failed=0',
    'vpn2  : ok=1     changed=0    unreachable=0    failed=1',
  ];
  const stderr = 'npm warn Unknown env config\nerror: one host failed\n';
  const lines = setupTrouble({ stdout: stdout.join('\n'), stderr }).split('\n');
  assert.deepEqual(lines, [
    'error: one host failed',
    'failed: [vpn2] packages: apt-get ended with 100',
    ...stdout.slice(2),
  ]);
  assert.equal(setupTrouble({ stdout: '', stderr: '' }), 'it failed without a word');
});
