import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { clientRun } from '../../scripts/lib/lab/client.ts';
import { until } from '../../scripts/lib/poll.ts';
import { collect, inClient, ready, summariesOf } from './collector.ts';
import { useLab } from './fixture.ts';

const lab = useLab('soak', { vpn: 2, browser: true }, ready);

/** COMPS_SOAK=200 for longer. */
const VISITS = Number(process.env.COMPS_SOAK ?? 60);

/** What grows where something is never given back. */
interface Sample {
  visits: number;
  /** Kilobytes that the collector has in memory. */
  memory: number;
  files: number;
  processes: number;
  /** Entries in the machine’s /tmp and /dev/shm. */
  temporary: number;
}

const number = (text: string, pattern: RegExp): number => Number(pattern.exec(text)?.[1]);

/** The collector's number on this computer, by its number of the machine's own: not npx, not its shell. */
async function collector(root: string): Promise<number> {
  const inside = (await clientRun(lab(), 'pgrep', '-of', '^node .*zx /comps/fetch_websites.ts')).trim();
  const all = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  const [leader] = /\/proc\/(\d+)\//.exec(root)?.slice(1) ?? [];
  const found = all.find((pid) => {
    try {
      const status = readFileSync(`/proc/${pid}/status`, 'utf8');
      const same = readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('fetch_websites');
      return same && new RegExp(`^NSpid:\\t.*\\t${inside}$`, 'm').test(status) && pid !== leader;
    } catch {
      return false;
    }
  });
  assert.ok(found, 'the collector runs');
  return Number(found);
}

test(`${VISITS} visits in a row: memory, open files, processes and temporary files do not grow`, async () => {
  const root = await inClient(lab(), '');
  const flags = ['--strategy', 'rr', '--seed', '1', '--visits', String(VISITS), '--run', '/run/soak'];
  const work = collect(lab(), ['https://small.example.org/'], ...flags);
  let over = false;
  void work.finally(() => {
    over = true;
  });
  const made = (): number => {
    try {
      return readdirSync(`${root}/run/soak/visits`).length;
    } catch {
      return 0;
    }
  };
  const samples: Sample[] = [];
  const sample = async (visits: number): Promise<void> => {
    const pid = await collector(root);
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    samples.push({
      visits,
      memory: number(status, /^VmRSS:\s+(\d+)/m),
      files: readdirSync(`/proc/${pid}/fd`).length,
      processes: Number((await clientRun(lab(), 'sh', '-c', 'ls -d /proc/[0-9]* | wc -l')).trim()),
      temporary: ['tmp', 'dev/shm'].flatMap((name) => readdirSync(`${root}/${name}`)).length,
    });
  };
  for (const share of [0.2, 0.4, 0.6, 0.8, 0.95]) {
    const visits = Math.floor(VISITS * share);
    assert.ok(await until(600_000, () => over || made() >= visits));
    if (!over) await sample(visits);
  }
  const { code, stderr } = await work;
  assert.equal(code, 0, stderr);
  const all = summariesOf(`${root}/run/soak`);
  assert.equal(all.filter(({ status }) => status === 'success').length, VISITS);

  assert.equal(samples.length, 5);
  const [first, last] = [samples[0] as Sample, samples.at(-1) as Sample];
  const shown = JSON.stringify(samples);
  // A visit holds some more than another at the moment of the look; what is never given back is there once a visit between the looks.
  assert.ok(last.memory - first.memory < 30_000, shown);
  assert.ok(last.files - first.files < 20, shown);
  assert.ok(last.processes - first.processes < 20, shown);
  assert.ok(last.temporary - first.temporary < 5, shown);
  console.log(shown);

  // Nothing of it is left behind.
  const left = await lab().exec('client', [
    'sh',
    '-c',
    'ls -d /tmp/comps-fetch-*; pgrep -f "[c]hromium|[t]cpdump|[m]igrate.ts"',
  ]);
  assert.equal(left.stdout, '');
});
