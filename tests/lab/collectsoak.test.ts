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
/** Shares of the visits at which it is looked at; the last leaves it some to go on with meanwhile. */
const LOOKS = [0.2, 0.4, 0.6, 0.75, 0.9];
/** Visits in a row of one look: a visit holds some more than another, and what is never given back is there in each. */
const IN_A_ROW = 3;

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

const KINDS = ['memory', 'files', 'processes', 'temporary'] as const;

/** The least of each kind. */
function leastOf(samples: readonly Sample[]): Sample {
  const least = { ...(samples[0] as Sample) };
  for (const kind of KINDS) least[kind] = Math.min(...samples.map((one) => one[kind]));
  return least;
}

/** What grew by more than chance (the collector's memory goes up and down by 15 MB), and by more than a little a visit. */
function grown(first: Sample, last: Sample): string[] {
  const visits = last.visits - first.visits;
  const allowed = {
    ...{ memory: 20_000 + visits * 70, files: 3 + visits / 10 },
    ...{ processes: 3 + visits / 10, temporary: 2 + visits / 50 },
  };
  return KINDS.filter((kind) => last[kind] - first[kind] > allowed[kind]);
}

test('what every third visit leaves behind is too much', () => {
  const at = (share: number, a: number): Sample => {
    const visits = Math.floor(VISITS * share);
    const left = Math.floor(visits * a);
    return { visits, memory: 2e5 + 3000 * left, files: 44 + left, processes: 17 + left, temporary: 2 + left };
  };
  const [begin = 0, end = 0] = [LOOKS[0], LOOKS.at(-1)];
  assert.deepEqual(grown(at(begin, 1 / 3), at(end, 1 / 3)), [...KINDS]);
  assert.deepEqual(grown(at(begin, 0), at(end, 0)), []);
});

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
  const often = ['--visits', String(VISITS), '--retries', '6'];
  const flags = ['--strategy', 'rr', '--period', '0.5', '--seed', '1', ...often, '--run', '/run/soak'];
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
  const sample = async (visits: number): Promise<Sample> => {
    const pid = await collector(root);
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    return {
      visits,
      memory: number(status, /^VmRSS:\s+(\d+)/m),
      files: readdirSync(`/proc/${pid}/fd`).length,
      processes: Number((await clientRun(lab(), 'sh', '-c', 'ls -d /proc/[0-9]* | wc -l')).trim()),
      temporary: ['tmp', 'dev/shm'].flatMap((name) => readdirSync(`${root}/${name}`)).length,
    };
  };
  for (const share of LOOKS) {
    const visits = Math.floor(VISITS * share);
    const row: Sample[] = [];
    for (let more = 0; more < IN_A_ROW; more++) {
      assert.ok(await until(600_000, () => over || made() >= visits + more));
      if (!over) row.push(await sample(visits));
    }
    if (row.length === IN_A_ROW) samples.push(leastOf(row));
  }
  const { code, stderr } = await work;
  assert.equal(code, 0, stderr);
  const all = summariesOf(`${root}/run/soak`);
  assert.equal(all.filter(({ status }) => status === 'success').length, VISITS);

  assert.equal(samples.length, LOOKS.length);
  const [first, last] = [samples[0] as Sample, samples.at(-1) as Sample];
  const shown = JSON.stringify(samples);
  assert.deepEqual(grown(first, last), [], shown);
  console.log(shown);

  // Nothing of it is left behind.
  const left = await lab().exec('client', [
    'sh',
    '-c',
    'ls -d /tmp/comps-fetch-*; pgrep -f "[c]hromium|[t]cpdump|[m]igrate.ts"',
  ]);
  assert.equal(left.stdout, '');
});
