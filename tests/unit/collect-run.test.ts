import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { beforeFrom, isLast, tooMany } from '../../client/scripts/lib/collect/collect.ts';
import { type PlannedVisit, plan } from '../../client/scripts/lib/collect/plan.ts';
import {
  differences,
  noteTunnels,
  openRun,
  readManifest,
  remaining,
} from '../../client/scripts/lib/collect/run.ts';
import { RunSink } from '../../client/scripts/lib/collect/sink.ts';
import type { Fault } from '../../client/scripts/lib/fault.ts';
import {
  type Manifest,
  type Session,
  type Settings,
  tunnelsOverTime,
} from '../../client/scripts/lib/trace/layout.ts';
import {
  FAILURES,
  type FailureKind,
  NOT_THE_PAGES,
  type VisitSummary,
} from '../../client/scripts/lib/trace/record.ts';
import { readManifest as readWhole } from '../../scripts/lib/trace-schema.ts';
import { writeRun } from '../synthetic-run.ts';

const folder = mkdtempSync(join(tmpdir(), 'comps-run-'));
after(() => rmSync(folder, { recursive: true }));
let number = 0;
const fresh = (): string => join(folder, `run-${number++}`);

writeRun(join(folder, 'made'));
const MADE: Manifest = JSON.parse(readFileSync(join(folder, 'made', 'manifest.json'), 'utf8'));
const { settings: SETTINGS, tunnels: TUNNELS } = MADE;
const SESSION = MADE.sessions[0] as Session;

/** Every file below a folder, with a checksum. */
const contents = (place: string): string[] =>
  readdirSync(place, { recursive: true, encoding: 'utf8' })
    .filter((name) => statSync(join(place, name)).isFile())
    .map(
      (name) =>
        `${name} ${createHash('sha256')
          .update(readFileSync(join(place, name)))
          .digest('hex')}`,
    )
    .sort();

test('a run is begun: its manifest is there, for its owner alone', () => {
  const run = fresh();
  assert.equal(readManifest(run), undefined);
  const manifest = openRun(run, SETTINGS, TUNNELS, SESSION);
  assert.deepEqual(readManifest(run), manifest);
  assert.deepEqual(
    [manifest.format, manifest.settings, manifest.tunnels, manifest.sessions, manifest.created],
    [1, SETTINGS, TUNNELS, [{ ...SESSION, tunnels: TUNNELS }], SESSION.started],
  );
  assert.deepEqual(readdirSync(run), ['manifest.json']);
  assert.equal(statSync(join(run, 'manifest.json')).mode & 0o777, 0o600);
});

test('a folder that is there and empty is taken', () => {
  const run = fresh();
  mkdirSync(run);
  openRun(run, SETTINGS, TUNNELS, SESSION);
  assert.ok(existsSync(join(run, 'manifest.json')));
});

test('a run goes on with the same settings, and has one session more', () => {
  const run = fresh();
  const first = openRun(run, SETTINGS, TUNNELS, SESSION);
  const later = { ...SESSION, started: '2030-01-01T00:00:00.000Z' };
  const moved = TUNNELS.map((tunnel) => ({ ...tunnel, endpoint: '192.0.2.99:51820' }));
  const { created, sessions, run: id } = openRun(run, structuredClone(SETTINGS), moved, later);
  assert.equal(created, SESSION.started);
  assert.equal(readManifest(run)?.run, id);
  assert.equal(id, first.run);
  assert.notEqual(openRun(fresh(), SETTINGS, TUNNELS, SESSION).run, id);
  assert.deepEqual(sessions, [
    { ...SESSION, tunnels: TUNNELS },
    { ...later, tunnels: moved },
  ]);
  assert.deepEqual(readManifest(run)?.sessions, sessions);
  assert.deepEqual(readManifest(run)?.tunnels, TUNNELS);
});

test('the tunnels of a run over time: each change once, in a session at work too, and none in an old run', () => {
  assert.deepEqual(tunnelsOverTime(MADE), [{ since: MADE.created, tunnels: TUNNELS }]);
  const run = fresh();
  openRun(run, SETTINGS, TUNNELS, SESSION);
  openRun(run, SETTINGS, TUNNELS, { ...SESSION, started: '2030-01-01T00:00:00.000Z' });
  const small = TUNNELS.map((tunnel) => ({ ...tunnel, mtu: 1300 }));
  noteTunnels(run, small, '2030-01-02T00:00:00.000Z');
  const manifest = readManifest(run);
  assert.ok(manifest);
  assert.deepEqual(manifest.sessions.at(-1), {
    ...{ ...SESSION, started: '2030-01-02T00:00:00.000Z', tunnels: small },
  });
  assert.deepEqual(tunnelsOverTime(manifest), [
    { since: SESSION.started, tunnels: TUNNELS },
    { since: '2030-01-02T00:00:00.000Z', tunnels: small },
  ]);
  const schema = readWhole(JSON.stringify(manifest));
  assert.ok('value' in schema, JSON.stringify(schema));
});

const others: { [K in keyof Settings]: Settings[K] } = {
  ...{ urls: ['https://other.example/'], visits: 4, strategy: 'rr', period: 0.2, seed: 43, timeout: 31 },
  ...{ interfaces: ['wgnet2', 'wgnet1', 'wgnet3'], linger: 1, retries: 0, headers_only: true },
  ...{ screenshots: true, keylog: true, har: true },
};
for (const [name, value] of Object.entries(others))
  test(`a run does not go on with another ${name}`, () => {
    const run = fresh();
    openRun(run, SETTINGS, TUNNELS, SESSION);
    const before = contents(run);
    const asked = { ...SETTINGS, [name]: value };
    assert.deepEqual(differences(SETTINGS, asked), [name]);
    assert.throws(
      () => openRun(run, asked, TUNNELS, SESSION),
      (fault: Fault) => {
        assert.equal(fault.name, 'Fault');
        const same = name === 'interfaces' ? '--interfaces wgnet1,wgnet2,wgnet3' : 'the same settings';
        assert.equal(fault.next, `${same} to go on with it, or --run another folder`);
        assert.ok(fault.message.startsWith(`--run ${run}: was begun with another ${name}: `), fault.message);
        assert.ok(fault.message.length < 300);
        assert.ok(fault.message.endsWith(`, not ${JSON.stringify(value)}`), fault.message);
        return true;
      },
    );
    assert.deepEqual(contents(run), before);
  });

test('a run goes on with more retries, and keeps them', () => {
  const run = fresh();
  openRun(run, SETTINGS, TUNNELS, SESSION);
  const retries = SETTINGS.retries + 2;
  openRun(run, { ...SETTINGS, retries }, TUNNELS, SESSION);
  assert.deepEqual(readManifest(run)?.settings, { ...SETTINGS, retries });
  assert.throws(() => openRun(run, SETTINGS, TUNNELS, SESSION), /another retries/);
});

test('settings that are the same have no differences; all settings are compared', () => {
  assert.deepEqual(differences(SETTINGS, structuredClone(SETTINGS)), []);
  assert.deepEqual(Object.keys(others).sort(), Object.keys(SETTINGS).sort());
  assert.deepEqual(differences(SETTINGS, others).sort(), Object.keys(others).sort());
});

test('a folder with other things in it is no place for a run, and is left alone', () => {
  const run = fresh();
  mkdirSync(run);
  writeFileSync(join(run, 'thesis.tex'), 'x');
  assert.throws(() => openRun(run, SETTINGS, TUNNELS, SESSION), {
    name: 'Fault',
    message: `--run: ${run} is a folder with other things in it`,
  });
  assert.deepEqual(readdirSync(run), ['thesis.tex']);
});

for (const text of ['', '{', '{"format":2}', 'null', '[]', '"x"'])
  test(`${JSON.stringify(text)} is no manifest`, () => {
    const run = fresh();
    mkdirSync(run);
    writeFileSync(join(run, 'manifest.json'), text);
    assert.throws(() => openRun(run, SETTINGS, TUNNELS, SESSION), {
      name: 'Fault',
      message: /manifest\.json: is no manifest of format 1$/,
    });
    assert.equal(readFileSync(join(run, 'manifest.json'), 'utf8'), text);
  });

const PLAN = plan(['https://a.example/'], 1, 1);

/** What is to do of one visit, two retries allowed, by the attempts that are there: their numbers and kinds of failure. */
function left(attempts: readonly (readonly [number, FailureKind | 'success' | 'unknown'])[]) {
  const run = fresh();
  for (const [attempt, kind] of attempts) {
    const place = join(run, 'visits', `0000-0000.${attempt}`);
    mkdirSync(place, { recursive: true });
    const good = kind === 'success';
    const failure = good ? null : { kind: kind as FailureKind, message: '' };
    const summary: Partial<VisitSummary> = { status: good ? 'success' : 'failure', failure };
    writeFileSync(join(place, 'visit.json'), JSON.stringify(summary));
  }
  const { todo, finished } = remaining(new RunSink(run), PLAN, 2);
  assert.equal(todo.length + finished, 1);
  if (todo[0] !== undefined) assert.deepEqual(todo[0].planned, PLAN[0] as PlannedVisit);
  return todo[0]?.before;
}

test('a visit without an attempt is to be made', () =>
  assert.deepEqual(left([]), { attempts: 0, counted: 0 }));
test('a success is finished, whatever came before it', () => {
  assert.equal(left([[1, 'success']]), undefined);
  assert.equal(
    left([
      [1, 'timeout'],
      [2, 'tunnel'],
      [3, 'success'],
    ]),
    undefined,
  );
});
test('failures are tried again, until the retries are used up', () => {
  assert.deepEqual(left([[1, 'timeout']]), { attempts: 1, counted: 1 });
  const two = [
    [1, 'timeout'],
    [2, 'bot-wall'],
  ] as const;
  assert.deepEqual(left(two), { attempts: 2, counted: 2 });
  assert.equal(left([...two, [3, 'crash']]), undefined);
});
test('failures of the network do not use up the retries', () => {
  const many = [1, 2, 3, 4].map((n) => [n, 'tunnel'] as const);
  assert.deepEqual(left(many), { attempts: 4, counted: 0 });
  assert.deepEqual(left([...many, [5, 'clock'], [6, 'leak'], [7, 'empty']]), { attempts: 7, counted: 2 });
});
test('the next attempt’s number is above all there are, also where some are missing', () => {
  assert.deepEqual(left([[7, 'timeout']]), { attempts: 7, counted: 1 });
  const ten = Array.from({ length: 11 }, (_, i) => [i + 1, 'tunnel'] as const);
  assert.equal(left(ten)?.attempts, 11);
});
test('a kind of failure that this version does not know counts', () => {
  assert.deepEqual(left([[1, 'unknown']]), { attempts: 1, counted: 1 });
});

test('of several visits each is told by its own attempts', () => {
  const run = join(folder, 'made');
  const planned = plan(SETTINGS.urls, SETTINGS.visits + 1, SETTINGS.seed);
  const { todo, finished, failed } = remaining(new RunSink(run), planned, SETTINGS.retries);
  assert.equal(failed, 1, 'of those that are finished');
  assert.equal(finished, SETTINGS.urls.length * SETTINGS.visits);
  assert.deepEqual(
    todo.map(({ planned: { visit }, before }) => [visit, before]),
    ['0000-0003', '0001-0003', '0002-0003'].map((visit) => [visit, { attempts: 0, counted: 0 }]),
  );
  // With more retries than before, what failed for good is tried again.
  const more = remaining(new RunSink(run), planned.slice(0, -3), 2);
  assert.deepEqual(
    more.todo.map(({ planned: { visit }, before }) => [visit, before]),
    [['0001-0002', { attempts: 2, counted: 2 }]],
  );
});

test('which failure is the last of its visit', () => {
  assert.equal(isLast(undefined, 0, 5), true);
  assert.deepEqual(
    [0, 1, 2, 3].map((counted) => isLast('timeout', counted, 2)),
    [false, false, false, true],
  );
  assert.equal(isLast('timeout', 1, 0), true);
  assert.deepEqual([...NOT_THE_PAGES].sort(), ['leak', 'not-begun', 'tunnel']);
  for (const kind of FAILURES) assert.equal(isLast(kind, 99, 2), !NOT_THE_PAGES.has(kind), kind);
});

test('too many in a row: the network is exit code 4, this machine 2', () => {
  const network = tooMany(5, { kind: 'tunnel', message: 'wgnet2 does not answer' });
  assert.equal(
    network.message,
    '5 attempts in a row failed for the network; the last: wgnet2 does not answer',
  );
  assert.equal(network.code, 4);
  const machine = tooMany(5, { kind: 'not-begun', message: 'migrate.ts: does not start' });
  assert.match(machine.message, /^5 attempts in a row failed for this machine; the last: migrate\.ts: /);
  assert.equal(machine.code, 2);
});

test('what is there of a visit, from its failures', () => {
  assert.deepEqual(beforeFrom([]), { attempts: 0, counted: 0 });
  assert.deepEqual(beforeFrom(['timeout', 'tunnel', null]), { attempts: 3, counted: 2 });
  assert.deepEqual(beforeFrom(['tunnel'], 9), { attempts: 9, counted: 0 });
});
