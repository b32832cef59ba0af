/** The network between controller and droplets: what passes is counted, and it can be far away. */
import { join } from 'node:path';
import { Fault } from '../../scripts/lib/cli.ts';
import { readText, readTextIfAny } from '../../scripts/lib/files.ts';
import type { Lab } from '../../scripts/lib/lab/lab.ts';
import { until } from '../../scripts/lib/poll.ts';
import { attempt, killNow, spawnDetached } from '../../scripts/lib/transport/local.ts';
import { HERE } from './rig.ts';

/** The relay's user: nobody. What it sends is let through; it would come back to itself else. */
const NOBODY = 65534;
const FIRST_PORT = 20_000;

/** Both ways over port 22, as the controller's kernel sees IP packets. */
const COUNT = `
table inet bench {
  counter sent {}
  counter received {}
  chain output { type filter hook output priority 0; tcp dport 22 counter name sent; }
  chain input { type filter hook input priority 0; tcp sport 22 counter name received; }
}
`;

/** Bytes of a counter in what nft lists. */
export const bytesOf = (listing: string, name: string): number =>
  Number(new RegExp(`counter ${name} \\{\\s*packets \\d+ bytes (\\d+)`).exec(listing)?.[1] ?? Number.NaN);

async function nft(lab: Lab, words: readonly string[], input = ''): Promise<string> {
  const { code, stdout, stderr } = await attempt(lab.words('ctl', ['nft', ...words]), { input });
  if (code !== 0) throw new Fault({ at: 'nft', what: stderr.trim() });
  return stdout;
}

export const startCounting = (lab: Lab): Promise<string> => nft(lab, ['-f', '-'], COUNT);

/** Bytes since the last look. */
export async function counted(lab: Lab): Promise<{ sent: number; received: number }> {
  const listing = await nft(lab, ['reset', 'counters', 'table', 'inet', 'bench']);
  return { sent: bytesOf(listing, 'sent'), received: bytesOf(listing, 'received') };
}

/** Puts a relay before these addresses' SSH that takes so many milliseconds a round trip; the way to end it. */
export async function goFar(
  lab: Lab,
  addresses: readonly string[],
  ms: number,
): Promise<() => Promise<void>> {
  const ways = addresses.map((address, i) => `${FIRST_PORT + i}=${address}`);
  const log = join(lab.directory, 'log', 'relay.log');
  const dropped = ['setpriv', `--reuid=${NOBODY}`, '--clear-groups', process.execPath];
  // By its text: that user may not read this folder.
  const script = readText(join(HERE, 'relay.mjs'));
  const pid = spawnDetached(
    lab.words('ctl', [...dropped, '--input-type=module', '-e', script, '--', String(ms), ...ways]),
    log,
  );
  if (!(await until(20_000, () => (readTextIfAny(log) ?? '').includes('ready'))))
    throw new Fault({ at: log, what: `the relay does not start: ${readTextIfAny(log)}` });
  const map = ways.map((way) => way.split('=').reverse().join(' : ')).join(', ');
  await nft(
    lab,
    ['-f', '-'],
    `table ip far {
  chain output {
    type nat hook output priority -100;
    meta skuid != ${NOBODY} tcp dport 22 redirect to :ip daddr map { ${map} }
  }
}
`,
  );
  return async () => {
    await nft(lab, ['delete', 'table', 'ip', 'far']);
    killNow([pid]);
  };
}
