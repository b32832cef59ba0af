import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { capture, leakFilter } from '../../scripts/lib/lab/capture.ts';
import type { Engine } from '../../scripts/lib/lab/engine.ts';
import type { Lab } from '../../scripts/lib/lab/lab.ts';
import { until } from '../../scripts/lib/poll.ts';
import { firstPackets } from '../lab/fixture.ts';
import { PATIENCE } from './fixture.ts';
import { probeLine, whileProbing } from './probing.ts';

/** The lab's site. */
export const SITE = '203.0.113.80';

/** Everything that a program may try to reach the world by, Docker's own resolver among it. */
const PROBES = [
  `ping -c 1 -W 1 ${SITE}`,
  `ping -c 1 -W 1 -I eth0 ${SITE}`,
  'ping -6 -c 1 -W 1 ff02::1%eth0',
  'getent hosts www.example.org',
  'curl -sS -m 1 http://www.example.org/ip',
  `curl -sS -m 1 --interface eth0 http://${SITE}/ip`,
  'curl -sS -m 1 http://198.51.100.11:22/',
  `node -e "const r = new (require('dns').Resolver)({ timeout: 500, tries: 1 }); r.setServers(['127.0.0.11']); r.resolve4('www.example.org', () => {})"`,
];

/** Where a test keeps migrate.ts's standard output, in the container. */
const SWITCH_LOG = '/tmp/switches.jsonl';

/** The container wgclient of client/docker-compose.yml, for tests. */
export function wgclient(lab: () => Lab, engine: () => Engine) {
  /** docker-compose in client/, as its users type it; `files` is where wgnet-setup wrote. */
  const compose = (words: string[], files = lab().clientDirectory) => {
    const folders = [`COMPS_FILES=${files}`, `COMPS_RUNS=${lab().directory}/runs`];
    return engine().exec(['env', '-C', 'client', ...folders, 'docker-compose', ...words]);
  };

  const goodCompose = async (...words: string[]): Promise<string> => {
    const { code, stdout, stderr } = await compose(words);
    assert.equal(code, 0, stdout + stderr);
    return stdout + stderr;
  };

  /** A shell line in the container, whatever it ends with. */
  const trySh = (line: string) => engine().exec(['docker', 'exec', 'wgclient', 'sh', '-c', line]);
  const sh = async (line: string): Promise<string> => {
    const { code, stdout, stderr } = await trySh(line);
    assert.equal(code, 0, `${line}\n${stdout}${stderr}`);
    return stdout.trim();
  };

  /** Lets Chromium in the container trust the lab's sites, by a policy beside its own. */
  const trustSites = async (): Promise<void> => {
    const input = readFileSync(join(lab().directory, 'site-ca.json'), 'utf8');
    const file = '/etc/chromium/policies/managed/site-ca.json';
    const words = ['docker', 'exec', '-i', 'wgclient', 'sh', '-c', `cat >${file}`];
    const { code, stderr } = await engine().exec(words, { input });
    assert.equal(code, 0, stderr);
  };

  const inspect = async (format: string): Promise<string> =>
    (await engine().exec(['docker', 'inspect', '--format', format, 'wgclient'])).stdout.trim();
  const healthy = () =>
    until(PATIENCE, async () => (await inspect('{{.State.Health.Status}}')) === 'healthy');
  const logs = async (): Promise<string> => {
    const { stdout, stderr } = await engine().exec(['docker', 'logs', 'wgclient']);
    return stdout + stderr;
  };

  /**
   * Does something while programs in the container try to get out, whatever state it is in; packets past the tunnels: on
   * the engine's way out, and, where it is there all the time, on the container's own bridge.
   */
  async function leaksDuring(name: string, work: () => Promise<unknown>, bridge?: string): Promise<number> {
    const leaks = await capture(lab(), name, leakFilter(lab()), { role: 'engine' });
    const nearer = bridge ? await capture(lab(), `${name}-bridge`, leakFilter(lab()), { bridge }) : undefined;
    await whileProbing(PROBES, trySh, work);
    const count = (await leaks.stop()) + ((await nearer?.stop()) ?? 0);
    // Told for whoever has to find out what they were.
    for (const { file } of count > 0 ? [leaks, ...(nearer ? [nearer] : [])] : [])
      console.log(await firstPackets(file));
    return count;
  }

  /** What comes of asking a resolver: an address, or an error's code. */
  const ask = (server: string): Promise<string> =>
    sh(
      `node -e "const r = new (require('dns').Resolver)({ timeout: 10000, tries: 2 }); r.setServers(['${server}']); r.resolve4('www.example.org', (e, a) => console.log(e ? e.code : a[0]))"`,
    );

  /** One round of what {@link leaksDuring} does all the time. */
  const probe = () => trySh(probeLine(PROBES));

  /** Does something between migration's first switch and its end; its log, from its standard output. */
  async function underMigration(flags: string, work: () => Promise<unknown>): Promise<string> {
    await sh(`rm -f ${SWITCH_LOG}`);
    const migration = trySh(`npx zx /comps/migrate.ts ${flags} >${SWITCH_LOG}`);
    let over = false;
    void migration.then(() => {
      over = true;
    });
    const begun = async () => over || (await trySh(`grep -q '"switch"' ${SWITCH_LOG}`)).code === 0;
    assert.ok(await until(PATIENCE, begun), 'no path is set');
    try {
      await work();
    } finally {
      // npx passes no SIGTERM on.
      await trySh("pkill -TERM -f '^node .*/zx /comps/migrate.ts'");
    }
    const { code, stderr } = await migration;
    assert.equal(code, 0, stderr);
    return sh(`cat ${SWITCH_LOG}`);
  }

  return {
    ...{ ask, compose, goodCompose, healthy, inspect, leaksDuring, logs, probe },
    ...{ sh, trustSites, trySh, underMigration },
  };
}
