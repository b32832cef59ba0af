/** Measures one download in the lab. */
import type { Switch } from '../../client/scripts/lib/trace/record.ts';
import { capture, leakFilter } from '../../scripts/lib/lab/capture.ts';
import { clientRun } from '../../scripts/lib/lab/client.ts';
import { ENGINE, ENGINE_BEGAN, type Mover, startMover } from '../mover.ts';
import type { Case, Client } from './cases.ts';
import { switchesIn, watchDownlink } from './downlink.ts';
import { HOST, type Rig } from './rig.ts';
import type { Sample } from './rows.ts';

/** What a client says of its download. */
export interface Fetched {
  /** Undefined where it was not there in time. */
  seconds: number | undefined;
  sha256: string;
  /** What went wrong, but for the time. */
  trouble: string | undefined;
}

/** Reads what fetch.sh printed. Pure. */
export function readFetch(text: string): Fetched {
  const [first = '', ...words] = text.trim().split('\n');
  const [code = '', seconds, sha256 = ''] = first.split(' ');
  if (code === '124') return { seconds: undefined, sha256, trouble: undefined };
  const trouble = code === '0' ? undefined : `exit code ${code}: ${words.join(' / ')}`;
  return { seconds: Number(seconds), sha256, trouble };
}

/** Reads what browse.mjs printed. Pure. */
export function readBrowse(text: string): Fetched {
  const { seconds, sha256 = '', protocol, trouble, kind } = JSON.parse(text);
  if (kind === 'timeout') return { seconds: undefined, sha256, trouble: undefined };
  const other = protocol === 'h3' ? undefined : `it came by ${protocol}`;
  return { seconds, sha256, trouble: trouble ?? other };
}

async function fetched({ lab }: Rig, client: Client, name: string, limit: number): Promise<Fetched> {
  if (client === 'Chromium') {
    const words = ['node', '--import=tsx', '/browse.mjs', `https://${HOST}/get.html?${name}`, String(limit)];
    return readBrowse(await clientRun(lab, 'env', '-C', '/', ...words));
  }
  return readFetch(await clientRun(lab, 'bash', '/fetch.sh', client, String(limit), HOST, name));
}

async function startSwitching({ lab }: Rig, { period }: Case): Promise<Mover | undefined> {
  await clientRun(lab, 'ip', 'route', 'replace', 'default', 'dev', 'wgnet1', 'table', '51821');
  if (period === null) return undefined;
  const flags = ['--strategy', 'rr', '--period', String(period), '--first', '1'];
  return startMover(lab, 'migrate.ts', lab.words('client', [...ENGINE, ...flags]), ENGINE_BEGAN);
}

/** One download under a case's switching; what was seen of it at the client, at the server, and past the tunnels. */
export async function measure(rig: Rig, one: Case, round: number, limit: number): Promise<Sample> {
  const { lab, paths } = rig;
  const { name, sha256 } = rig.file(one.group.megabytes);
  const past = await capture(lab, 'past', leakFilter(lab));
  let mover: Mover | undefined;
  try {
    mover = await startSwitching(rig, one);
    const connections = rig.watchServer();
    const downlink = await watchDownlink(lab);
    const got = await fetched(rig, one.group.client, name, limit);
    const switches: Switch[] = switchesIn((await mover?.stop()) ?? '');
    const seenHere = await downlink.stop(switches, paths);
    const seen = await connections();
    return {
      round,
      seconds: got.seconds ?? limit,
      finished: got.seconds !== undefined && got.trouble === undefined,
      identical: got.sha256 === sha256,
      trouble: got.trouble ?? null,
      ...seenHere,
      connections: seen.length,
      addresses: new Set(seen.flatMap(({ addresses }) => addresses)).size,
      past: await past.stop(),
    };
  } catch (error) {
    // The first trouble is the one to tell.
    await mover?.stop().catch(() => undefined);
    await past.stop().catch(() => undefined);
    throw error;
  }
}
