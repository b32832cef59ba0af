/**
 * What manifest.json, visit.json, records and switch logs may hold, for all that read them; unknown keys are left as
 * they are, so that a later version may add some.
 */
import { z } from 'zod';
import { MODES, TCPS } from '../../client/scripts/lib/modes.ts';
import { ORDERS, STRATEGIES, TIMED } from '../../client/scripts/lib/strategy.ts';
import type { Manifest } from '../../client/scripts/lib/trace/layout.ts';
import {
  FORMAT,
  type Switch,
  type TraceRecord,
  type VisitSummary,
} from '../../client/scripts/lib/trace/record.ts';

/** Seconds since 1970, from 2001 to 2286: microseconds stay exact there. */
const time = z.number().min(1e9).max(1e10);
const count = z.int().nonnegative();
const seconds = z.number().nonnegative();
/** As Linux allows it, and no way out of the visit's folder. */
const interfaceName = z.string().regex(/^(?!\.)[\w.-]{1,15}$/, { error: 'no name of a network interface' });
const interfaces = z.array(interfaceName).min(1).max(127);

const format = z.literal(FORMAT, { error: `this version reads format ${FORMAT}, the file has another` });
const run = z.uuid({ error: 'no UUID' });
const strategy = z.enum(STRATEGIES);
const period = z.number().min(0.001).nullable();
const isByPacket = (value: { strategy?: unknown; period?: unknown }): boolean =>
  !TIMED.some((name) => name === value.strategy);
/** Whether there is a period where one is needed. */
const hasPeriod = (value: { strategy?: unknown; period?: unknown }): boolean =>
  isByPacket(value) ? value.period === null : value.period !== null;
const NO_PERIOD = { path: ['period'], message: 'is null for strategies by packet, and for no others' };
/** What is there where it was given. */
const given = {
  order: z.enum(ORDERS).optional(),
  batch: z.tuple([z.int().positive(), z.int().positive()]).optional(),
};
/** What only mode quic has. */
const moded = { mode: z.enum(MODES).optional(), allow_tcp: z.enum(TCPS).optional() };
/** What mode and the rest of the settings say against each other, if anything. */
const contradicting = (value: { mode?: unknown; allow_tcp?: unknown; strategy?: unknown }) => {
  if ((value.mode === 'quic') !== (value.allow_tcp !== undefined))
    return { path: ['allow_tcp'], message: 'is there in mode quic, and in no other' };
  if (value.mode === 'quic' && isByPacket(value))
    return { path: ['strategy'], message: 'is by packet, and mode quic has none of those' };
  return undefined;
};
const modesAgree = (context: { value: object; issues: object[] }): void => {
  const found = contradicting(context.value);
  if (found !== undefined) context.issues.push({ code: 'custom', input: context.value, ...found });
};
const whole = z.array(count).min(1).max(127);

const versions = z.looseObject({
  comps: z.string(),
  node: z.string(),
  chromium: z.string(),
  playwright: z.string(),
  tcpdump: z.string(),
});

const facts = {
  format,
  run,
  visit: z.string().regex(/^\d{4,}-\d{4,}$/, 'no visit such as 0003-0007'),
  attempt: z.int().positive(),
  label: count,
  instance: count,
  url: z.string().min(1),
  protocol: z.string(),
  final_url: z.string().nullable(),
  http_status: z.int().nullable(),
  status: z.enum(['success', 'timeout', 'failure']),
  // A later version may know more kinds.
  failure: z.looseObject({ kind: z.string(), message: z.string() }).nullable(),
  notes: z.array(z.string()),
  started: time,
  navigated: time.nullable(),
  loaded: time.nullable(),
  ended: time,
  ...moded,
  strategy,
  period,
  seed: count,
  run_seed: count,
  weights: z.array(z.number().min(0).max(1)).nullable(),
  given_weights: whole.optional(),
  ...given,
  interfaces,
  headers_only: z.boolean(),
  versions,
};

const totals = {
  interface: interfaceName,
  client_address: z.string().min(1),
  packets_out: count,
  packets_in: count,
  bytes_out: count,
  bytes_in: count,
  in_force: seconds,
};

const change = z.looseObject({
  event: z.literal('switch'),
  n: count,
  due: time,
  time,
  done: time,
  path: z.string(),
  from: z.string().nullable(),
});

const traceEntry = z.looseObject({
  level: z.string(),
  message: z.looseObject({
    message: z.looseObject({ method: z.string(), params: z.unknown() }),
    webview: z.string(),
  }),
  timestamp: z.number(),
});

const record = z
  .looseObject({
    ...facts,
    ...totals,
    recorded: interfaces,
    page_source: z.string().nullable(),
    http_trace: z.array(traceEntry),
    switches: z.array(change),
    packets: z.string(),
  })
  .refine((value) => value.interfaces.includes(value.interface), {
    path: ['interface'],
    message: 'is none of interfaces',
  })
  .refine((value) => value.recorded.includes(value.interface), {
    path: ['recorded'],
    message: 'has not the interface of this record',
  })
  .refine((value) => value.recorded.every((name) => value.interfaces.includes(name)), {
    path: ['recorded'],
    message: 'has one that is none of interfaces',
  })
  .refine(hasPeriod, NO_PERIOD)
  .check(modesAgree);

const summary = z
  .looseObject({
    ...facts,
    title: z.string().nullable(),
    paths: z.array(z.looseObject(totals)).max(127),
    checks: z.array(z.looseObject({ name: z.string(), ok: z.boolean(), detail: z.string() })),
    leaked: count.nullable(),
    switch_count: count,
    files: z.record(z.string(), z.looseObject({ bytes: count, sha256: z.string() })),
  })
  .refine(hasPeriod, NO_PERIOD)
  .check(modesAgree);

const tunnels = z.array(
  z.looseObject({
    interface: interfaceName,
    client_address: z.string(),
    endpoint: z.string(),
    mtu: z.number(),
  }),
);

const manifest = z.looseObject({
  format,
  run,
  created: z.string(),
  settings: z
    .looseObject({
      urls: z.array(z.string()).min(1),
      visits: z.int().positive(),
      ...moded,
      strategy,
      period,
      weights: whole.optional(),
      ...given,
      seed: count,
      interfaces,
      timeout: seconds,
      linger: seconds,
      retries: count,
      headers_only: z.boolean(),
    })
    .check(modesAgree),
  tunnels,
  sessions: z.array(
    z.looseObject({
      started: z.string(),
      versions,
      tunnels: tunnels.optional(),
      host: z.looseObject({
        kernel: z.string(),
        architecture: z.string(),
        cpus: z.number(),
        cpu: z.string(),
        memory: z.number(),
      }),
    }),
  ),
});

export type Read<T> = { value: T } | { problem: string };

/** Reads a text as JSON of a form; what is wrong with it in one line. */
function reader<T>(form: z.ZodType): (text: string) => Read<T> {
  return (text) => {
    let parsed: unknown;
    try {
      parsed = JSON.parse(text);
    } catch {
      return { problem: 'no JSON, or cut off' };
    }
    const checked = form.safeParse(parsed);
    if (checked.success) return { value: parsed as T };
    const [first, ...more] = checked.error.issues;
    const where = first?.path.join('.') || 'the whole';
    const others = more.length > 0 ? ` (and ${more.length} more)` : '';
    return { problem: `${where}: ${first?.message ?? 'wrong'}${others}` };
  };
}

export const readRecord = reader<TraceRecord>(record);
export const readSummary = reader<VisitSummary>(summary);
export const readManifest = reader<Manifest>(manifest);
/** A line of the switch log that is a switch. */
export const readSwitch = reader<Switch>(change);
