/** Files of another user's, as a run with sudo leaves them. */
import assert from 'node:assert/strict';
import { chmodSync, chownSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { Fault } from '../../scripts/lib/cli.ts';
import { list, readText, readTextIfAny, realPath, writeText } from '../../scripts/lib/files.ts';

/** Numbers of users; no such users need be there. */
const [SOMEBODY, OTHER] = [65_101, 65_102];

const nextOf = (work: () => unknown): string | undefined => {
  try {
    work();
  } catch (error) {
    assert.ok(error instanceof Fault, String(error));
    assert.match(error.message, /permission denied/);
    return error.next;
  }
  assert.fail('it was permitted');
};

test('what nobody may look at is not taken for nothing, and it is said whose it is', {
  skip: process.geteuid?.() !== 0 && 'only root can make a folder that is root’s',
}, (t) => {
  const home = mkdtempSync(join(tmpdir(), 'comps-denied-'));
  const before = process.env.HOME;
  t.after(() => {
    process.seteuid?.(0);
    process.env.HOME = before;
    rmSync(home, { recursive: true });
  });
  const [closed, known] = [join(home, '.droplets'), join(home, 'known_hosts')];
  const theirs = join(home, 'theirs');
  for (const folder of [closed, theirs]) mkdirSync(folder, { mode: 0o700 });
  for (const file of [known, join(closed, 'a.json'), join(theirs, 'keys')])
    writeFileSync(file, 'x', { mode: 0o600 });
  chownSync(home, SOMEBODY, SOMEBODY);
  chownSync(theirs, OTHER, OTHER);
  chmodSync(home, 0o755);

  process.env.HOME = home;
  process.seteuid?.(SOMEBODY);
  const root = `${closed} belongs to root: \`sudo chown -R "$USER" ${closed}\`, or run this with sudo as before`;
  assert.equal(
    nextOf(() => readTextIfAny(join(closed, 'a.json'))),
    root,
  );
  assert.equal(
    nextOf(() => readTextIfAny(join(closed, 'none.json'))),
    root,
  );
  assert.equal(
    nextOf(() => list(closed)),
    root,
  );
  assert.equal(
    nextOf(() => writeText(join(closed, 'a.json'), 'y')),
    root,
  );
  assert.match(
    nextOf(() => readText(known)) ?? '',
    /known_hosts belongs to root: `sudo chown -R "\$USER" \S+known_hosts`/,
  );
  assert.match(
    nextOf(() => list(join(theirs, 'keys'))) ?? '',
    /theirs belongs to another user \(number 65102\)/,
  );
  // A folder of the system's own is no one's to give away.
  process.env.HOME = '/nowhere';
  assert.equal(
    nextOf(() => writeText('/etc/comps-denied', 'y')),
    '/etc belongs to root: run this with sudo',
  );
  assert.equal(readTextIfAny(join(home, 'none')), undefined);
});

test('nothing is nothing: a file, a folder, and what is below a file', () => {
  const home = mkdtempSync(join(tmpdir(), 'comps-nothing-'));
  const file = join(home, 'file');
  writeFileSync(file, 'x');
  assert.equal(readTextIfAny(file), 'x');
  for (const path of [join(home, 'none'), join(file, 'below')]) {
    assert.equal(readTextIfAny(path), undefined);
    assert.deepEqual(list(path), []);
  }
  assert.deepEqual(list(home), ['file']);
  assert.throws(() => list(file), /cannot list: a part of this path is a file/);
  assert.throws(() => readTextIfAny(home), /is a directory/);
  assert.throws(
    () => realPath(join(home, 'none'), 'mkdir it'),
    (error) => error instanceof Fault && error.next === 'mkdir it',
  );
  rmSync(home, { recursive: true });
});
