/** Traces as texts: `.cell` files and CSV. Pure. */
import { since, type TracePacket } from './trace.ts';

export type TextFormat = 'cell' | 'csv';

/** Seconds to the microsecond, without an exponent. */
const at = (time: number, origin: number): string => since(time, origin).toFixed(6);

/** `time<TAB>direction<TAB>size` a line. */
const cellText = (packets: readonly TracePacket[], origin: number): string =>
  packets.map(({ time, direction, size }) => `${at(time, origin)}\t${direction}\t${size}\n`).join('');

/** `time,signed_size` a line, below a line of these names. */
const csvText = (packets: readonly TracePacket[], origin: number): string =>
  `time,signed_size\n${packets
    .map(({ time, direction, size }) => `${at(time, origin)},${direction * size}\n`)
    .join('')}`;

export const traceText = (format: TextFormat, packets: readonly TracePacket[], origin: number): string =>
  format === 'cell' ? cellText(packets, origin) : csvText(packets, origin);

/** `NAME_split_K.cell` for path K (from 0), `NAME_join.cell` for all of them. */
export const traceFile = (name: string, path: number | null, format: TextFormat): string =>
  `${name}_${path === null ? 'join' : `split_${path}`}.${format}`;

/** A field of a CSV file (RFC 4180). */
const csvField = (value: string | number | null): string => {
  const text = String(value ?? '');
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
};

export const csvLine = (values: readonly (string | number | null)[]): string =>
  `${values.map(csvField).join(',')}\n`;

/** What the labels of a data set mean. */
export const labelsText = (labels: readonly { url: string; count: number }[]): string =>
  csvLine(['label', 'url', 'count']) +
  labels.map(({ url, count }, label) => csvLine([label, url, count])).join('');
