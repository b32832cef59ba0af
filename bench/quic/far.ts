/** Proxies that are far away: what goes between one and the client takes its time in the lab's router. See delay.pl. */
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { EXIT, Fault } from '../../scripts/lib/cli.ts';
import { readTextIfAny, remove } from '../../scripts/lib/files.ts';
import { clientRun } from '../../scripts/lib/lab/client.ts';
import type { Lab } from '../../scripts/lib/lab/lab.ts';
import { until } from '../../scripts/lib/poll.ts';
import { attempt, killNow, spawnDetached } from '../../scripts/lib/transport/local.ts';
import { median } from '../figures.ts';
import { runIn } from '../lab.ts';

const HERE = dirname(fileURLToPath(import.meta.url));
const PATIENCE = 20_000;
/** Packets that wait in a device, at most: many more than a QUIC sender has under way. */
const QUEUE = 10_000;
/** Tables of the router, one a proxy. */
const TABLE = 7000;
const PINGS = 40;

/** What delay.pl says at its end; `late`: seconds beyond the delay, one way, `processor`: seconds. */
export interface Precision {
  packets: number;
  lost: number;
  late: { median: number; p99: number; most: number };
  processor: number;
}

export interface Far {
  stop(): Promise<Precision>;
}

/** The lines for `ip -batch` that lead what goes between a proxy and the client through a device, or that end it. Pure. */
export function wayLines(what: 'add' | 'delete', number: number, proxy: string, client: string): string[] {
  const rules = [`iif home0 to ${proxy}`, `iif cloud0 from ${proxy} to ${client}`].map(
    (way) => `rule ${what} pref ${TABLE + number} ${way} lookup ${TABLE + number}`,
  );
  if (what === 'delete') return rules;
  return [
    `link set far${number} txqueuelen ${QUEUE} up`,
    `route add default dev far${number} table ${TABLE + number}`,
    ...rules,
  ];
}

/** Before all other programs where the kernel allows that: a delay that waits for a processor is longer. */
async function early(): Promise<string[]> {
  const words = ['chrt', '--fifo', '10'];
  return (await attempt([...words, 'true'])).code === EXIT.ok ? words : ['nice', '-n', '-20'];
}

/** Gives each proxy its round trip, in milliseconds, until `stop`. */
export async function goFar(
  lab: Lab,
  proxies: readonly string[],
  roundTrips: readonly number[],
): Promise<Far> {
  const log = join(lab.directory, 'log', 'delay.log');
  remove(log);
  const said = (): string => readTextIfAny(log) ?? '';
  const ways = roundTrips.map((ms, i) => `far${i + 1}=${ms / 2}`);
  const words = [...(await early()), 'perl', join(HERE, 'delay.pl'), ...ways];
  const pid = spawnDetached(lab.words('net', words), log);
  if (!(await until(PATIENCE, () => said().includes('ready'))))
    throw new Fault({ at: 'delay.pl', what: said().trim() || 'it does not start', code: EXIT.failed });
  const lines = (what: 'add' | 'delete'): string =>
    proxies
      .flatMap((proxy, i) => wayLines(what, i + 1, proxy, lab.addressOf('client')))
      .map((line) => `${line}\n`)
      .join('');
  await runIn(lab, 'net', ['ip', '-batch', '-'], lines('add'));
  return {
    stop: async () => {
      await runIn(lab, 'net', ['ip', '-batch', '-'], lines('delete'));
      await attempt(['kill', '-TERM', String(pid)]);
      if (await until(PATIENCE, () => said().includes('}\n')))
        return JSON.parse(said().slice(said().indexOf('{'))) as Precision;
      killNow([pid]);
      throw new Fault({ at: 'delay.pl', what: 'it does not end', code: EXIT.failed });
    },
  };
}

/** Round trips in what ping printed, milliseconds. Pure. */
export const roundTripsIn = (text: string): number[] =>
  [...text.matchAll(/time=([\d.]+) ms/g)].map(([, ms]) => Number(ms));

/** A round trip to each proxy, through its tunnel: the median, in milliseconds; NaN where nothing came back. */
export async function roundTrips(lab: Lab, paths: readonly string[]): Promise<number[]> {
  const all: number[] = [];
  for (const path of paths) {
    const ping = ['ping', '-c', String(PINGS), '-i', '0.02', '-W', '2', '-I', path, '10.45.0.2'];
    all.push(median(roundTripsIn(await clientRun(lab, 'sh', '-c', `${ping.join(' ')} || true`))));
  }
  return all;
}
