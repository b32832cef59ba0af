/** The wg-migrate demo on an engine of the lab's, as its users handle it. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { type Capture, capture } from '../../scripts/lib/lab/capture.ts';
import type { Engine } from '../../scripts/lib/lab/engine.ts';
import type { Lab } from '../../scripts/lib/lab/lab.ts';
import { until } from '../../scripts/lib/poll.ts';
import { PATIENCE } from './fixture.ts';

export const GATE = '10.210.1.3';
export const COMP = '10.210.3.200';
export const SITE = '10.210.3.80';
/** Asks the lab’s own site, which the engine reaches: the demo’s Internet, where it has one. */
const REACH = 'curl -sS -m 15 -o /dev/null http://203.0.113.80/'.split(' ');
const MIGRATOR = '^node /comps/migrate.ts';
/** Where migration that {@link demoOf} starts keeps its log, in the client. */
export const SWITCH_LOG = '/tmp/test-switches.jsonl';

/** What this file's tests do with a demo; `place` as from `useEngine`. */
export function demoOf({ lab, engine }: { lab: () => Lab; engine: () => Engine }) {
  /** The demo’s folder, beside the lab’s files; its name has a blank on purpose. */
  const folder = (): string => join(lab().directory, 'wg migrate');
  const inFolder = (...words: string[]) => engine().exec(['env', '-C', folder(), ...words]);

  /** A command of the project, on the computer that the engine is on. */
  const command = (script: string, ...words: string[]) =>
    engine().exec(['node', '--import=tsx', script, ...words]);
  const openWebsite = (...words: string[]) => command('client/scripts/open_website.ts', ...words);

  const tryDocker = (...words: string[]) => engine().exec(['docker', ...words]);
  async function docker(...words: string[]): Promise<string> {
    const { code, stdout, stderr } = await tryDocker(...words);
    assert.equal(code, 0, `docker ${words.join(' ')}: ${stderr}`);
    return stdout.trim();
  }
  /** A shell line in a machine that must succeed. */
  const sh = (line: string, machine = 'wg_client') => docker('exec', machine, 'sh', '-c', line);
  const logs = async (machine: string): Promise<string> => {
    const { stdout, stderr } = await tryDocker('logs', machine);
    return stdout + stderr;
  };

  async function render(...flags: string[]): Promise<string> {
    const { code, stdout, stderr } = await command('scripts/wg-migrate.ts', '-o', folder(), ...flags);
    assert.equal(code, 0, stderr);
    return stdout;
  }
  const tryCompose = (...words: string[]) => inFolder('docker-compose', '-p', 'wg-migrate', ...words);
  async function compose(...words: string[]): Promise<string> {
    const { code, stdout, stderr } = await tryCompose(...words);
    assert.equal(code, 0, stdout + stderr);
    return stdout + stderr;
  }

  /** All machines with their states. */
  const states = (): Promise<string> =>
    docker('ps', '-a', '--filter', 'label=comps.rendering', '--format', '{{.Names}} {{.Status}}');
  async function allHealthy(machines = 7): Promise<void> {
    const good = async () => (await states()).match(/\(healthy\)/g)?.length === machines;
    assert.ok(await until(PATIENCE, good), await states());
  }
  async function up(machines = 7): Promise<void> {
    await compose('up', '-d', '--no-build');
    await allHealthy(machines);
  }

  /** Bytes that each path has brought, in the order of the paths. */
  const received = async (): Promise<number[]> =>
    (await sh('cat /sys/class/net/wgnet*/statistics/rx_bytes')).split('\n').map(Number);

  const migrating = async (): Promise<boolean> =>
    (await tryDocker('exec', 'wg_client', 'pgrep', '-f', MIGRATOR)).code === 0;
  /** Returns once migration has set its first path. */
  async function startMigration(...words: string[]): Promise<void> {
    await sh(`rm -f ${SWITCH_LOG}`);
    const line = ['/etc/wireguard/migrate.sh', ...words, '--log', SWITCH_LOG];
    await docker('exec', '-d', 'wg_client', ...line);
    const begun = async () =>
      (await tryDocker('exec', 'wg_client', 'grep', '-q', '"switch"', SWITCH_LOG)).code === 0;
    assert.ok(await until(PATIENCE, begun), 'no path is set');
  }
  async function stopMigration(): Promise<void> {
    await docker('exec', 'wg_client', 'pkill', '-TERM', '-f', MIGRATOR);
    assert.ok(await until(PATIENCE, async () => !(await migrating())));
  }

  /**
   * Each path’s share of what comes while something is done under migration: some times more where one of them has not so
   * much yet, as a machine that stood still for a second was on one path all that time.
   */
  async function sharesDuring(
    words: string[],
    least: number,
    work: () => Promise<unknown>,
  ): Promise<number[]> {
    const before = await received();
    const shares = async (): Promise<number[]> => {
      const carried = (await received()).map((bytes, i) => bytes - (before[i] ?? 0));
      const sum = carried.reduce((a, b) => a + b);
      return carried.map((bytes) => bytes / sum);
    };
    await startMigration(...words);
    for (let times = 0; times < 5; times++) {
      await work();
      if (Math.min(...(await shares())) > least) break;
    }
    await stopMigration();
    return shares();
  }

  /** That these machines do not reach what the engine they are on does. */
  async function reachNothing(...machines: string[]): Promise<void> {
    assert.equal((await engine().exec(REACH)).code, 0);
    const reached = async (machine: string) => (await tryDocker('exec', machine, ...REACH)).code === 0;
    assert.deepEqual(
      await Promise.all(machines.map(reached)),
      machines.map(() => false),
      machines.join(' '),
    );
  }

  /** Captures what the client may not send: all but the tunnels’ UDP to the proxies and the WebDriver’s answers. */
  async function leaks(name: string): Promise<Capture> {
    const format = '{{range .NetworkSettings.Networks}}{{.MacAddress}}{{end}}';
    const mac = await docker('inspect', '--format', format, 'wg_client');
    const proxies = 'dst host 10.210.1.11 or dst host 10.210.1.12';
    const allowed = `(udp dst port 51820 and (${proxies})) or (tcp src port 4444 and dst host ${GATE})`;
    const bridge = await engine().bridge('wg-migrate_access');
    return capture(lab(), name, `ether src ${mac} and not (${allowed})`, { bridge });
  }

  return {
    ...{ allHealthy, command, compose, docker, leaks, logs, migrating, openWebsite, reachNothing, render },
    ...{ sh, sharesDuring, startMigration, states, stopMigration, tryCompose, tryDocker, up },
  };
}
