/** What can be wrong with a record by itself. Pure. */
import { QUIC } from '../../../client/scripts/lib/collect/http3.ts';
import { visitSeed } from '../../../client/scripts/lib/collect/plan.ts';
import { type Packet, PCAP_HEADER } from '../../../client/scripts/lib/trace/pcap.ts';
import {
  FAILURES,
  type PathTotals,
  type TraceRecord,
  type VisitFacts,
} from '../../../client/scripts/lib/trace/record.ts';
import { checkSwitches } from './check-schedule.ts';
import { decodeRecord } from './trace.ts';

/** Seconds by which a capture may be out of order: a kernel hands packets of two processors over like that. */
const DISORDER = 1e-3;
/** Seconds between the clock of the capture and that of the collector, which is the same one, rounded. */
const ROUNDING = 1e-3;

type Counts = Pick<PathTotals, 'packets_out' | 'packets_in' | 'bytes_out' | 'bytes_in'>;

export function countsOf(packets: readonly Packet[]): Counts {
  const counts = { packets_out: 0, packets_in: 0, bytes_out: 0, bytes_in: 0 };
  for (const { direction, size } of packets) {
    if (direction === 0) continue;
    counts[direction === 1 ? 'packets_out' : 'packets_in']++;
    counts[direction === 1 ? 'bytes_out' : 'bytes_in'] += size;
  }
  return counts;
}

/** What the facts of an attempt say against each other; for records and visit.json alike. */
export function checkFacts(facts: VisitFacts): string[] {
  const { status, failure, visit, instance, url, seed, started, navigated, loaded, ended } = facts;
  const found: string[] = [];
  if ((status === 'success') !== (failure === null))
    found.push(`status ${status} and failure ${failure?.kind ?? null}`);
  if (failure !== null && !FAILURES.includes(failure.kind))
    found.push(`failure is ${failure.kind}, a kind that this version does not know`);
  // Not the label: a merge gives new ones and keeps the names.
  if (Number(visit.split('-')[1]) !== instance) found.push(`visit ${visit} has instance ${instance}`);
  if (visitSeed(facts.run_seed, url, instance) !== seed)
    found.push(`seed ${seed} does not follow from run_seed, url and instance`);
  const times = [started, navigated, loaded, ended].filter((time) => time !== null);
  if (times.some((time, i) => time < (times[i - 1] ?? 0)))
    found.push('started, navigated, loaded, ended are not in this order');
  if (status === 'success' && (navigated === null || loaded === null))
    found.push('a success without a load event');
  if (status === 'success' && facts.mode === 'quic' && facts.protocol !== QUIC)
    found.push(`a success of mode quic by ${facts.protocol}, and not by HTTP/3`);
  return found;
}

function checkTimes(packets: readonly Packet[], { started, ended }: VisitFacts): string[] {
  const found: string[] = [];
  let latest = Number.NEGATIVE_INFINITY;
  let back = 0;
  for (const { time } of packets) {
    back = Math.max(back, latest - time);
    latest = Math.max(latest, time);
  }
  if (back > DISORDER) found.push(`packets go back in time by up to ${back.toFixed(6)} s`);
  const outside = packets.filter(({ time }) => time < started - ROUNDING || time > ended + ROUNDING).length;
  if (outside > 0) found.push(`${outside} packets are outside of started to ended`);
  return found;
}

function checkPackets(record: TraceRecord, packets: readonly Packet[]): string[] {
  const found = checkTimes(packets, record);
  const strangers = packets.filter(({ direction }) => direction === 0).length;
  if (strangers > 0) found.push(`${strangers} packets are neither from nor to ${record.client_address}`);
  const counts = countsOf(packets);
  for (const [name, count] of Object.entries(counts) as [keyof Counts, number][])
    if (record[name] !== count) found.push(`${name} is ${record[name]}, its packets say ${count}`);
  return found;
}

/** All that is wrong with a record, in words; [] for a good one. `packets` of its capture, where it has one. */
export function checkRecord(record: TraceRecord): { found: string[]; packets: Packet[]; bytes?: Buffer } {
  const found = [...checkFacts(record), ...checkSwitches(record, record.switches)];
  if (record.status !== 'success') {
    if (record.packets !== '' || record.http_trace.length > 0)
      found.push(`a ${record.status} with packets or http_trace`);
    return { found, packets: [] };
  }
  const decoded = decodeRecord(record);
  if ('problem' in decoded) return { found: [...found, decoded.problem], packets: [] };
  const { packets, bytes } = decoded;
  if (bytes !== undefined && bytes.length <= PCAP_HEADER)
    return { found: [...found, 'packets: none in the capture'], packets };
  found.push(...checkPackets(record, packets));
  return { found, packets, ...(bytes && { bytes }) };
}
