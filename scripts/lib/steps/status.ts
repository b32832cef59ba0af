/** The status of servers, tunnels and client, once or again and again. Nothing is changed anywhere. */
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { atEnd, EXIT, Fault, takeSignal } from '../cli.ts';
import { readTextIfAny } from '../files.ts';
import { printAside, statusLine } from '../progress.ts';
import { judgeFiles } from '../status/files.ts';
import { type Hints, judge, type Seen, type ServerSeen } from '../status/judge.ts';
import { prometheusText } from '../status/prometheus.ts';
import type { Status } from '../status/status.ts';
import { tableLines } from '../status/table.ts';
import { connectSsh } from '../transport/ssh.ts';
import { type ClientKey, clientKeys } from '../wireguard/key-store.ts';
import { underWay } from '../wireguard/next-keys.ts';
import { sameFilesHint } from './hints.ts';
import { type ClientFlags, type ClientPlace, clientPlace, placeText } from './in-client.ts';
import { modeOf } from './present-client.ts';
import { type InputOptions, type Prepared, prepare } from './set-up-input.ts';
import { serverTasksFor } from './set-up-servers.ts';
import { Client } from './status-client.ts';
import { openScreen } from './status-screen.ts';
import { Servers } from './status-servers.ts';
import { unless } from './status-time.ts';

export interface StatusOptions extends Omit<InputOptions, 'check'>, ClientFlags {
  /** Seconds from one round to the next; true for the usual ones. */
  watch?: number | true;
  json?: true;
  prometheus?: true;
}

/** Seconds between two rounds. */
const PERIOD = 2;

/** Seconds that a server has in a watch, where it would hold up the others. */
const LIMIT = 15;

/** Columns where nobody says how wide it is. */
const WIDTH = 80;

function refuseContradictions({ json, prometheus, watch }: StatusOptions): void {
  if (json && prometheus)
    throw new Fault({ at: '--json', what: 'contradicts --prometheus', next: 'give one of them' });
  if (prometheus && watch !== undefined)
    throw new Fault({
      at: '--prometheus',
      what: 'is for a file that is written anew each time, and --watch adds to one',
      next: 'have it written by a timer: status.ts --prometheus >comps.prom.new && mv comps.prom.new comps.prom',
    });
}

function hintsFor(options: StatusOptions, place: ClientPlace | undefined): Hints {
  const { inventory, config, out } = options;
  const setUp = sameFilesHint('wgnet-setup', options);
  const statusIn: Hints['statusIn'] = (mode) => sameFilesHint('status', { inventory, config, out, mode });
  const inside = '/etc/wireguard/setup.sh';
  if (place?.kind === 'lab') {
    const name = place.name === 'lab' ? '' : `--name ${place.name} `;
    return { setUp, statusIn, client: `npx zx scripts/lab.ts exec ${name}client -- ${inside}` };
  }
  return {
    setUp,
    statusIn,
    client: place?.kind === 'container' ? `docker exec ${place.name} ${inside}` : inside,
  };
}

/** All that is asked in each round. */
interface Sources {
  prepared: Prepared;
  servers: Servers;
  client: Client | undefined;
  out: string;
  /** Every server's address is known, so that setup.sh can be judged. */
  resolved: boolean;
}

/** The files of the client beside what a set-up would write, by the servers' keys as they are now. */
function filesOf(
  { prepared, out, resolved }: Sources,
  keysOfClient: ReadonlyMap<string, ClientKey | undefined>,
  seen: readonly ServerSeen[],
): Seen['files'] {
  const { topology, config } = prepared;
  const keys = seen.flatMap(({ name, tunnel, end }) => {
    const serverPublicKey = end?.publicKey;
    const privateKey = keysOfClient.get(name)?.privateKey;
    return serverPublicKey && privateKey
      ? [[tunnel.interface, { serverPublicKey, privateKey }] as const]
      : [];
  });
  const settings = { dns: config.dns, published: [], allowTcp: config.allowTcp };
  const files = judgeFiles(topology, new Map(keys), settings, (name) => readTextIfAny(join(out, name)));
  if (!resolved) files.delete('setup.sh');
  return files;
}

async function round(sources: Sources, hints: Hints, limit?: number): Promise<Status> {
  const { prepared, servers, client, out } = sources;
  // Read anew, as keys may have been changed since.
  const names = prepared.members.map(({ name }) => name);
  const keys = clientKeys(out, names, false);
  const [seen, answer] = await Promise.all([
    servers.read(limit, ({ name }) => keys.get(name)?.publicKey),
    client?.read(),
  ]);
  return judge(
    {
      time: Date.now() / 1000,
      mode: prepared.topology.mode,
      tcp: prepared.config.allowTcp,
      servers: seen.map((one) => ({ ...one, begun: underWay(out, one.name) !== undefined })),
      client:
        client === undefined || answer === undefined
          ? undefined
          : { where: placeText(client.place), named: client.place.named, answer },
      files: filesOf(sources, keys, seen),
      filesMode: modeOf(out),
    },
    hints,
  );
}

/** The lines of one round. */
function linesOf(status: Status, { json, prometheus, watch }: StatusOptions): string[] {
  if (prometheus) return [prometheusText(status).trimEnd()];
  if (json) return [JSON.stringify(status, null, watch === undefined ? 2 : undefined)];
  // A terminal that does not know its size says 0.
  return tableLines(status, process.stdout.columns || Number(process.env.COLUMNS) || WIDTH);
}

/** A text for Prometheus is good whatever it tells, so that its file is renewed just when something is wrong. */
export const exitCodeFor = ({ exitCode }: Pick<Status, 'exitCode'>, { prometheus }: StatusOptions): number =>
  prometheus ? EXIT.ok : exitCode;

/** A round, and the next one, until somebody stops it; the exit code of the last. */
async function watchOn(sources: Sources, hints: Hints, options: StatusOptions): Promise<number> {
  const period = (options.watch === true || options.watch === undefined ? PERIOD : options.watch) * 1000;
  const end = new AbortController();
  takeSignal(() => end.abort());
  // Nobody reads any more.
  process.stdout.on('error', () => end.abort());
  const stop = end.signal;
  const screen = options.json ? undefined : openScreen(process.stdout, process.env);
  let last: Status | undefined;
  while (!stop.aborted) {
    const began = performance.now();
    const status = await unless(stop, round(sources, hints, LIMIT));
    if (status === undefined) break;
    const lines = linesOf(status, options);
    if (screen === undefined) writeLines(lines);
    else screen.show(screen.replaces || last === undefined ? lines : ['', ...lines]);
    last = status;
    const rest = Math.max(0, period - (performance.now() - began));
    await sleep(rest, undefined, { signal: stop }).catch(() => undefined);
  }
  await screen?.close();
  // A terminal keeps what was seen last.
  if (screen?.replaces && last !== undefined) writeLines(linesOf(last, options));
  return last?.exitCode ?? EXIT.interrupted;
}

const writeLines = (lines: readonly string[]): void =>
  void process.stdout.write(lines.map((line) => `${line}\n`).join(''));

/** Shows the status; the exit code. */
export async function showStatus(options: StatusOptions): Promise<number> {
  refuseContradictions(options);
  const place = clientPlace(options);
  // Notices of files and hosts are no part of a document.
  printAside(options.json === true || options.prometheus === true);
  const whole = await prepare({ ...options, check: true });
  const prepared = { ...whole, members: whole.members.filter(({ name }) => whole.chosen.has(name)) };
  const resolved = whole.members.every(({ unresolved }) => unresolved === undefined);
  const status = statusLine();
  const servers = new Servers(prepared.members, {
    connect: (member) =>
      member.unresolved ? Promise.reject(member.unresolved) : connectSsh(member.host, member.ssh),
    tasksFor: ({ tunnel }, clientKey) => serverTasksFor(tunnel, clientKey, prepared.config),
    now: () => performance.now(),
    onStep: (name, what) => void (options.watch === undefined && status.set(name, what)),
  });
  const closed = atEnd(() => servers.close());
  const client = place === undefined ? undefined : new Client(place);
  const sources: Sources = { prepared, servers, client, out: options.out, resolved };
  const hints = hintsFor(options, place);
  let code: number;
  if (options.watch === undefined) {
    const one = await round(sources, hints);
    status.end();
    writeLines(linesOf(one, options));
    code = exitCodeFor(one, options);
  } else code = await watchOn(sources, hints, options);
  await closed();
  return code;
}
