/** The route engine on real interfaces: a network namespace of its own, veth pairs named as the tunnels are. */
import assert from 'node:assert/strict';
import { type ChildProcess, execFile, execFileSync, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { after, before, beforeEach, test } from 'node:test';
import { promisify } from 'node:util';

const NAMESPACE = `comps-migrate-${process.pid}`;
const EMPTY = `${NAMESPACE}-empty`;
const SCRIPT = new URL('../../client/scripts/migrate.ts', import.meta.url).pathname;
const TUNNELS = ['wgnet1', 'wgnet2', 'wgnet3'];
/** For whatever a test waits for; reached only where something is broken. */
const PATIENCE_MS = 60_000;

interface Line {
  event: string;
  n?: number;
  path?: string;
  from?: string | null;
  time: number;
  [key: string]: unknown;
}

const root = (...words: string[]): string => execFileSync('ip', words, { encoding: 'utf8', stdio: 'pipe' });
const ip = (...words: string[]): string => root('-n', NAMESPACE, ...words);
const routes = (): string[] =>
  ip('route', 'show', 'table', '51821')
    .trim()
    .split('\n')
    .map((line) => line.trim());
/** The path in force: metric 0. */
const current = (): string | undefined =>
  routes()
    .map((line) => /^default dev (\S+) scope link$/.exec(line)?.[1])
    .find((name) => name !== undefined);

async function until<T>(what: string, look: () => T | undefined | false): Promise<T> {
  for (const end = Date.now() + PATIENCE_MS; Date.now() < end; ) {
    const seen = look();
    if (seen !== undefined && seen !== false) return seen;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error(`waited in vain for ${what}`);
}

const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
};

/** A migrate.ts that runs: its log so far, and how it ended. */
class Migrator {
  static readonly all = new Set<Migrator>();
  readonly process: ChildProcess;
  readonly ended: Promise<number | null>;
  stderr = '';
  private text = '';

  constructor(words: string[], namespace = NAMESPACE) {
    const command = ['netns', 'exec', namespace, process.execPath, '--import', 'tsx', SCRIPT, ...words];
    // A process group of its own, to send it what Ctrl-C sends.
    this.process = spawn('ip', command, {
      stdio: [words.includes('--hold') ? 'pipe' : 'ignore', 'pipe', 'pipe'],
      detached: true,
    });
    this.process.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.text += text;
    });
    this.process.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.stderr += text;
    });
    this.ended = new Promise((resolve) => this.process.on('close', resolve));
    Migrator.all.add(this);
  }

  get pid(): number {
    return this.process.pid as number;
  }

  /** The `ip` that it keeps. */
  get ip(): number | undefined {
    const children = readFileSync(`/proc/${this.pid}/task/${this.pid}/children`, 'utf8').trim().split(' ');
    return children
      .map(Number)
      .filter((pid) => pid > 0 && isAlive(pid))
      .at(-1);
  }

  get lines(): Line[] {
    const whole = this.text.slice(0, this.text.lastIndexOf('\n') + 1).trimEnd();
    return whole === '' ? [] : whole.split('\n').map((line) => JSON.parse(line));
  }

  of(event: string): Line[] {
    return this.lines.filter((line) => line.event === event);
  }

  /** The first line for which this holds, as soon as it is there. */
  line(what: string, holds: (line: Line) => boolean): Promise<Line> {
    return until(`${what}; stderr: ${this.stderr}`, () => this.lines.find(holds));
  }

  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<number | null> {
    this.process.kill(signal);
    return this.ended;
  }
}

async function killAll(): Promise<void> {
  for (const migrator of Migrator.all) {
    if (migrator.process.exitCode === null && migrator.process.signalCode === null)
      await migrator.stop('SIGKILL');
    Migrator.all.delete(migrator);
  }
}

function tunnelUp(name: string): void {
  ip('link', 'add', name, 'type', 'veth', 'peer', 'name', name.replace('wgnet', 'peer'));
  ip('link', 'set', name, 'up');
  ip('link', 'set', name.replace('wgnet', 'peer'), 'up');
  ip('route', 'add', 'default', 'dev', name, 'metric', name.replace('wgnet', '100'), 'table', '51821');
}

/** Whether a line is entry n or a later one: a machine that is too slow leaves some out. */
const reached =
  (n: number) =>
  (line: Line): boolean =>
    (line.n ?? -1) >= n;

/** What a migrate.ts that ends by itself says. */
async function outcome(words: string[], namespace = NAMESPACE): Promise<Migrator & { code: number | null }> {
  const migrator = new Migrator(words, namespace);
  return Object.assign(migrator, { code: await migrator.ended });
}

before(() => {
  for (const name of [NAMESPACE, EMPTY]) {
    root('netns', 'add', name);
    root('-n', name, 'link', 'set', 'lo', 'up');
  }
  ip('route', 'add', 'unreachable', 'default', 'metric', '4278198272', 'table', '51821');
  for (const name of TUNNELS) tunnelUp(name);
});

beforeEach(killAll);

after(async () => {
  await killAll();
  for (const name of [NAMESPACE, EMPTY]) {
    try {
      root('netns', 'delete', name);
    } catch {
      // Was not made.
    }
  }
});

test('the kernel sees what the log tells, the log is what --plan told, and the other routes stay', async () => {
  const words = ['--strategy', 'wr', '--seed', '42', '--period', '0.005'];
  const plan = await outcome([...words, '--plan', '101']);
  const monitor = spawn('ip', ['-n', NAMESPACE, 'monitor', 'route']);
  try {
    let seen = '';
    monitor.stdout.setEncoding('utf8').on('data', (text: string) => {
      seen += text;
    });
    // It listens once it shows a change.
    await until('ip monitor', () => {
      ip('route', 'replace', 'default', 'dev', 'lo', 'table', '51821');
      ip('route', 'delete', 'default', 'dev', 'lo', 'table', '51821');
      return seen.includes('default dev lo');
    });
    const { code, lines, stderr } = await outcome([...words, '--switches', '100']);
    assert.equal(code, 0, stderr);
    assert.equal(stderr, '');
    assert.equal(lines[0]?.event, 'start');
    assert.equal(lines.at(-1)?.event, 'end');
    const told = lines.filter((line) => line.event === 'switch');
    const planned = new Map(plan.of('entry').map((line) => [line.n, line.path]));
    assert.equal(planned.size, 101);
    assert.deepEqual(plan.lines[0]?.weights, lines[0]?.weights);
    assert.ok(told.length > 0);
    for (const { n, path } of told) assert.equal(path, planned.get(n));
    // A machine that is too slow leaves entries out, and says so.
    assert.equal(told.length + (lines.at(-1)?.skipped as number), 101);
    const changes = told.filter((line) => line.from !== line.path).map((line) => line.path);
    const pattern = /^default dev (wgnet\d) table 51821/;
    const inKernel = (): string[] => seen.split('\n').flatMap((line) => pattern.exec(line)?.[1] ?? []);
    await until('ip monitor to show every change', () => inKernel().length >= changes.length);
    assert.deepEqual(inKernel(), changes);
    assert.equal(current(), changes.at(-1));
    assert.equal(routes().length, TUNNELS.length + 2);
  } finally {
    monitor.kill();
  }
});

test('a signal is its normal end: exit 0, an end line, the route stays, its ip is gone', async () => {
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) {
    const migrator = new Migrator(['--period', '0.01']);
    await migrator.line('some switches', reached(5));
    const child = (await until('its ip', () => migrator.ip)) as number;
    // To the whole group, as a terminal does.
    process.kill(-migrator.pid, signal);
    assert.equal(await migrator.ended, 0, migrator.stderr);
    const end = migrator.lines.at(-1);
    assert.equal(end?.event, 'end');
    assert.equal(end.reason, signal);
    assert.equal(end.errors, 0);
    assert.equal(migrator.stderr, '');
    assert.equal(current(), end.path);
    assert.equal(isAlive(child), false);
  }
});

test('none sets its path once, and puts it back when it is taken away by hand', async () => {
  const migrator = new Migrator(['--strategy', 'none', '--first', '2', '--period', '0.02']);
  await migrator.line('its path', (line) => line.path === 'wgnet2');
  assert.equal(current(), 'wgnet2');
  ip('-4', 'route', 'delete', '0.0.0.0/0', 'dev', 'wgnet2', 'table', '51821');
  await until('the route to come back', () => current() === 'wgnet2');
  assert.equal(await migrator.stop(), 0);
  assert.equal(migrator.of('switch').length, 1);
});

test('an interface that is deleted is named, the others go on, and a new one of that name is used', async () => {
  const migrator = new Migrator(['--strategy', 'rr', '--period', '0.01']);
  await migrator.line('some switches', reached(5));
  ip('link', 'delete', 'wgnet2');
  const error = await migrator.line('an error', (line) => line.event === 'error');
  assert.equal(error.path, 'wgnet2');
  assert.match(String(error.message), /No such device|Cannot find device/);
  const later = (error.n as number) + 6;
  await migrator.line(
    'the others',
    (line) => line.event === 'switch' && (line.n as number) > later && line.from !== line.path,
  );
  tunnelUp('wgnet2');
  await migrator.line(
    'wgnet2 again',
    (line) => line.event === 'switch' && (line.n as number) > later && line.path === 'wgnet2',
  );
  ip('link', 'set', 'wgnet3', 'down');
  await migrator.line('an error of wgnet3', (line) => line.event === 'error' && line.path === 'wgnet3');
  ip('link', 'set', 'wgnet3', 'up');
  ip('route', 'add', 'default', 'dev', 'wgnet3', 'metric', '1003', 'table', '51821');
  await until('wgnet3 again', () => migrator.stderr.includes('wgnet3: works again'));
  assert.equal(await migrator.stop(), 0);
  assert.match(
    migrator.stderr,
    /^wgnet2: .*tried again.*\nwgnet2: works again\nwgnet3: .*\nwgnet3: works again\n$/,
  );
});

test('an ip that dies or hangs is replaced', async () => {
  const migrator = new Migrator(['--strategy', 'rr', '--period', '0.02']);
  await migrator.line('some switches', reached(15));
  for (const [signal, message] of [
    ['SIGKILL', /^ip ended/],
    ['SIGSTOP', /^ip ended \(SIGKILL\)/],
  ] as const) {
    const child = (await until('its ip', () => migrator.ip)) as number;
    const last = migrator.lines.at(-1)?.n as number;
    process.kill(child, signal);
    await until('another ip', () => migrator.ip !== undefined && migrator.ip !== child);
    const goesOn = await until('switches', () =>
      migrator.of('switch').find((line) => (line.n as number) > last + 60),
    );
    for (const error of migrator.of('error').filter((line) => (line.n as number) > last))
      assert.match(String(error.message), message);
    assert.equal(isAlive(child), false);
    assert.ok(goesOn.from !== goesOn.path);
  }
  assert.equal(await migrator.stop(), 0);
});

test('only one migrator a namespace; kill -9 leaves the route, frees the place and takes its ip along', async () => {
  const first = new Migrator(['--strategy', 'rr', '--period', '0.02']);
  await first.line('some switches', reached(3));
  const second = await outcome(['--strategy', 'none']);
  assert.equal(second.code, 1);
  assert.match(second.stderr, new RegExp(`process ${first.pid}\\)\n {2}next: kill ${first.pid}\n$`));
  assert.deepEqual(second.lines, []);
  const child = (await until('its ip', () => first.ip)) as number;
  await first.stop('SIGKILL');
  assert.ok(TUNNELS.includes(current() ?? ''));
  await until('its ip to end', () => !isAlive(child));
  assert.equal((await outcome(['--switches', '1'])).code, 0);
});

test('a migrator that was stopped for a while goes on where the clock is', async () => {
  const words = ['--strategy', 'ur', '--seed', '7', '--period', '0.02'];
  const plan = await outcome([...words, '--plan', '5000']);
  const migrator = new Migrator(words);
  await migrator.line('some switches', reached(5));
  migrator.process.kill('SIGSTOP');
  await until('it to stand', () => /^State:\s+T/m.test(readFileSync(`/proc/${migrator.pid}/status`, 'utf8')));
  await new Promise((resolve) => setTimeout(resolve, 200));
  migrator.process.kill('SIGCONT');
  const late = await migrator.line('what it left out', (line) => line.event === 'late');
  const next = (late.n as number) + (late.skipped as number);
  await migrator.line('switches', (line) => line.event === 'switch' && (line.n as number) > next + 5);
  assert.equal(await migrator.stop(), 0);
  const paths = plan.of('entry').map((line) => line.path);
  for (const { n, path } of migrator.of('switch')) assert.equal(path, paths[n as number]);
});

test('--hold: schedules begin and end at the word of whoever started it, each the one of its seed', async () => {
  const migrator = new Migrator(['--strategy', 'wr', '--period', '0.02', '--seed', '1', '--hold']);
  const say = (line: string): unknown => migrator.process.stdin?.write(`${line}\n`);
  await migrator.line('it to wait', ({ event }) => event === 'ready');
  const before = routes();
  assert.deepEqual(migrator.of('switch'), []);
  const schedules = async (count: number): Promise<Line[]> =>
    until(`${count} schedules`, () => migrator.of('start').length === count && migrator.of('start'));
  const entries = () => migrator.of('switch').length;
  for (const [i, order] of ['run 42', 'run', 'run 42'].entries()) {
    const seen = entries();
    say(order);
    await schedules(i + 1);
    await until('some switches', () => entries() > seen + 8);
    say('stop');
    await until('its end', () => migrator.of('end').length === i + 1);
    const still = entries();
    await new Promise((resolve) => setTimeout(resolve, 60));
    assert.equal(entries(), still, 'nothing is switched between two schedules');
  }
  assert.deepEqual(
    migrator.of('start').map(({ seed }) => seed),
    [42, 1, 42],
  );
  const plan = await outcome(['--strategy', 'wr', '--seed', '42', '--plan', '2000']);
  const paths = plan.of('entry').map(({ path }) => path);
  const runs = migrator.lines.reduce<Line[][]>((all, line) => {
    if (line.event === 'start') all.push([]);
    else if (line.event === 'switch') all.at(-1)?.push(line);
    return all;
  }, []);
  for (const i of [0, 2]) for (const { n, path } of runs[i] ?? []) assert.equal(path, paths[n as number]);
  assert.notEqual(before.length, 0);
  say('go');
  await until('its complaint', () =>
    migrator.stderr.includes('no order: "go"; there are run, run SEED and stop'),
  );
  // Its starter is gone: a schedule that runs ends, and so does it.
  say('run 7');
  await schedules(4);
  migrator.process.stdin?.end();
  assert.equal(await migrator.ended, 0, migrator.stderr);
  assert.equal(migrator.lines.at(-1)?.event, 'end');
});

test('it ends when nobody reads its log any more, and not before its reader does', async () => {
  const slow = new Migrator(['--period', '0.001']);
  await slow.line('some switches', reached(5));
  slow.process.stdout?.pause();
  await new Promise((resolve) => setTimeout(resolve, 1500));
  slow.process.kill('SIGTERM');
  slow.process.stdout?.resume();
  assert.equal(await slow.ended, 0, slow.stderr);
  const end = slow.lines.at(-1);
  assert.equal(end?.event, 'end');
  assert.equal(slow.of('switch').length, end.entries);

  const alone = new Migrator(['--period', '0.01']);
  await alone.line('some switches', reached(5));
  alone.process.stdout?.destroy();
  assert.equal(await alone.ended, 0, alone.stderr);
});

test('what is not as needed is refused, with the next step, before anything is touched', async () => {
  const before = routes();
  const cases: [string[], RegExp, string?][] = [
    [[], /no wgnet interface .*\n {2}next: \/etc\/wireguard\/setup\.sh\n$/, EMPTY],
    [
      ['--interfaces', 'wgnet1,wgnet7'],
      /^error: --interfaces: no interface wgnet7; there is wgnet1, wgnet2, wgnet3\n$/,
    ],
    [['--interfaces', 'lo'], /^error: --interfaces: "lo" is not the name of a tunnel such as wgnet1\n$/],
    [['--period', '0'], /^error: --period: "0" is not a number of seconds from 0\.001 to 1000000\n$/],
    [['--first', '4'], /^error: --first: "4" is not the number of a path: there are 3\n$/],
    [['--seed', '-1'], /^error: --seed: "-1" is not a whole number from 0 to 9007199254740991\n$/],
    [['--strategy', 'bogus'], /none, rr, ur, wr/],
    [['extra'], /too many arguments/],
    [['--log', '/nowhere/at/all'], /^error: --log: ENOENT/],
  ];
  const seen = await Promise.all(cases.map(([words, , namespace]) => outcome(words, namespace)));
  for (const [i, [words, expected]] of cases.entries()) {
    assert.match(seen[i]?.stderr ?? '', expected);
    assert.equal(seen[i]?.code, 1, words.join(' '));
    assert.deepEqual(seen[i]?.lines, []);
  }
  assert.deepEqual(routes(), before);
});

test('without the right to change routes, and without ip, it says so', async () => {
  const run = promisify(execFile);
  const script = [process.execPath, '--import', 'tsx', SCRIPT];
  const drop = ['--bounding-set', '-net_admin', '--inh-caps', '-net_admin'];
  await assert.rejects(run('ip', ['netns', 'exec', NAMESPACE, 'setpriv', ...drop, ...script]), {
    code: 1,
    stderr: /needs root \(CAP_NET_ADMIN\)[\s\S]*next: /,
  });
  const bare = ['env', 'PATH=/nonexistent', ...script];
  await assert.rejects(run('ip', ['netns', 'exec', NAMESPACE, ...bare]), {
    code: 1,
    stderr: /cannot run ip: .*ENOENT[\s\S]*next: apt-get install iproute2/,
  });
});
