/** What an attempt's plots are drawn from: its captures and its switch log. */
import { join } from 'node:path';
import { captureFile, FILE, VISITS } from '../../../client/scripts/lib/trace/layout.ts';
import { type Pcap, readPcap } from '../../../client/scripts/lib/trace/pcap.ts';
import type { PathTotals, VisitSummary } from '../../../client/scripts/lib/trace/record.ts';
import { Fault, messageOf } from '../cli.ts';
import { whyNoFile } from '../files/input.ts';
import { exists, readBytes, readText } from '../files.ts';
import { count } from './format.ts';
import { Growth, type Points, tagOf, thin } from './thin.ts';

/** Steps of the plot of bytes, fewer where there are many paths. */
const STEPS = 240;
const MOST_CELLS = 6000;
/** Changes of the path that are drawn; more than a screen has pixels. */
const MOST_SWITCHES = 6000;
const MOST_LEAKS = 200;

const base64 = (data: Float32Array | Uint16Array | Uint8Array): string =>
  Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('base64');

/** Times are seconds from `zero`; arrays are base64 of little-endian numbers. */
export interface PlotData {
  /** Paths by name, with their number in the run: the colour. */
  paths: { name: string; number: number }[];
  from: number;
  to: number;
  loaded: number | null;
  /** All packets, of which `points` are drawn. */
  packets: number;
  points: number;
  /** Float32, Uint16 and Uint8 (path; 128 more for a packet from the client). */
  times: string;
  sizes: string;
  tags: string;
  steps: number;
  /** Float32: bytes by the end of each step, a row a path. */
  growth: string;
  /** When a path came into force, and which: Float32, Uint8. */
  switches: string;
  current: string;
  /** Packets past the tunnels: Float32. */
  leaks: string;
}

/** Work on one file of the visit; what goes wrong is told in `troubles`. */
function attempted<T>(name: string, troubles: string[], read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    // Without the folder that a Fault of files.ts names.
    const message = messageOf(error);
    const at = message.indexOf(`${name}: `);
    troubles.push(at < 0 ? `${name}: ${message}` : message.slice(at));
    return undefined;
  }
}

/** Reads one file of the visit: a regular one, since a pipe would never end. */
function attemptedFile<T>(place: string, name: string, troubles: string[], read: (path: string) => T) {
  const path = join(place, name);
  return attempted(name, troubles, () => {
    const why = whyNoFile(path);
    if (why !== undefined) throw new Fault({ at: path, what: why });
    return read(path);
  });
}

function compare(name: string, { packets, cut }: Pcap, sums: PathTotals, troubles: string[]): void {
  const file = captureFile(name);
  if (cut) troubles.push(`${file}: cut off in its last packet`);
  const out = packets.filter(({ direction }) => direction === 1).length;
  const inward = packets.filter(({ direction }) => direction === -1).length;
  if (out !== sums.packets_out || inward !== sums.packets_in)
    troubles.push(
      `${file}: it holds ${count(out)} packets up and ${count(inward)} down; ` +
        `${FILE.summary} says ${count(sums.packets_out)} and ${count(sums.packets_in)}`,
    );
}

interface Change {
  time: number;
  path: number;
}

/** Times at which another path came into force; a line that is none is told. */
function changesIn(text: string, interfaces: readonly string[], zero: number, troubles: string[]): Change[] {
  const changes: Change[] = [];
  let bad = 0;
  for (const line of text.split('\n').filter((each) => each.trim() !== '')) {
    const entry = attempted('', [], () => JSON.parse(line) as Record<string, unknown>);
    if (entry?.event === undefined) bad++;
    if (entry?.event !== 'switch') continue;
    const path = interfaces.indexOf(String(entry.path));
    const time = Number(entry.done) - zero;
    if (path < 0 || !Number.isFinite(time)) bad++;
    else if (changes.at(-1)?.path !== path) changes.push({ time, path });
  }
  if (bad > 0)
    troubles.push(
      `${FILE.switches}: ${count(bad)} of its lines cannot be read, or name no path of the visit`,
    );
  return changes;
}

/** As many changes as can be told apart: of those within a narrow slice of time the last. */
function thinChanges(changes: Change[], troubles: string[]): Change[] {
  const [first, last] = [changes[0], changes.at(-1)];
  if (changes.length <= MOST_SWITCHES || first === undefined || last === undefined) return changes;
  troubles.push(`${count(changes.length)} changes of the path are more than can be drawn`);
  const slice = (last.time - first.time) / MOST_SWITCHES || 1;
  const at = ({ time }: Change): number => Math.floor((time - first.time) / slice);
  return changes.filter((change, i) => at(change) !== at(changes[i + 1] ?? { time: Infinity, path: 0 }));
}

function leaksOf(folder: string, zero: number, troubles: string[]): number[] {
  if (!exists(join(folder, FILE.leak))) return [];
  const bytes = attemptedFile(folder, FILE.leak, troubles, readBytes);
  const pcap = bytes && attempted(FILE.leak, troubles, () => readPcap(bytes, () => true));
  return (pcap?.packets ?? []).slice(0, MOST_LEAKS).map(({ time }) => time - zero);
}

/** Seconds before and behind a visit in which packets still belong to it. */
const MARGIN = 2;

/** The seconds that a plot spans; packets that are far from the visit by their own clock are told. */
function spanOf(points: Points, summary: VisitSummary, zero: number, troubles: string[]): [number, number] {
  const first = summary.started - zero - MARGIN;
  const last = summary.ended - zero + MARGIN;
  let from = 0;
  let to = Math.max((summary.loaded ?? zero) - zero, 0.1);
  let astray = 0;
  for (const time of points.times)
    if (time < first || time > last) astray++;
    else if (time < from) from = time;
    else if (time > to) to = time;
  if (astray > 0) troubles.push(`${count(astray)} packets lie outside the time of the visit: see the clocks`);
  return [from, to];
}

/** The one attempt whose packets are in memory; `numberOf` gives a path's number in the run. */
export function plotOf(
  run: string,
  folder: string,
  summary: VisitSummary,
  options: { limit: number; numberOf: (name: string) => number },
  troubles: string[],
): PlotData | undefined {
  const place = join(run, VISITS, folder);
  const zero = summary.navigated ?? summary.started;
  const names = summary.paths.map((path) => path.interface);
  const points: Points = { times: [], sizes: [], tags: [] };
  for (const [i, sums] of summary.paths.entries()) {
    const file = captureFile(sums.interface);
    const none = !exists(join(place, file)) && sums.packets_in + sums.packets_out === 0;
    if (none) continue;
    const bytes = attemptedFile(place, file, troubles, readBytes);
    const pcap = bytes && attempted(file, troubles, () => readPcap(bytes, sums.client_address));
    if (pcap === undefined) continue;
    compare(sums.interface, pcap, sums, troubles);
    for (const { time, size, direction } of pcap.packets) {
      if (direction === 0) continue;
      points.times.push(time - zero);
      points.sizes.push(Math.min(size, 65_535));
      points.tags.push(tagOf(i, direction === 1));
    }
  }
  const [from, to] = spanOf(points, summary, zero, troubles);
  const steps = Math.max(20, Math.min(STEPS, Math.floor(MOST_CELLS / Math.max(1, names.length))));
  const growth = new Growth(from, to, steps);
  for (const [i, tag] of points.tags.entries())
    growth.add(tag & 127, points.times[i] as number, points.sizes[i] as number);
  const log = exists(join(place, FILE.switches))
    ? attemptedFile(place, FILE.switches, troubles, (path) => readText(path))
    : undefined;
  const changes = thinChanges(changesIn(log ?? '', names, zero, troubles), troubles);
  const leaks = leaksOf(place, zero, troubles);
  if (points.times.length + leaks.length === 0) return undefined;
  const drawn = thin(points, options.limit);
  return {
    paths: names.map((name) => ({ name, number: options.numberOf(name) })),
    ...{ from, to, loaded: summary.loaded === null ? null : summary.loaded - zero },
    ...{ packets: points.times.length, points: drawn.times.length, steps },
    times: base64(Float32Array.from(drawn.times)),
    sizes: base64(Uint16Array.from(drawn.sizes)),
    tags: base64(Uint8Array.from(drawn.tags)),
    growth: base64(growth.rows(names.length)),
    switches: base64(Float32Array.from(changes, ({ time }) => time)),
    current: base64(Uint8Array.from(changes, ({ path }) => path)),
    leaks: base64(Float32Array.from(leaks)),
  };
}
