/** The parts of manifest.json and visit.json that a report shows, checked; what else they hold is left alone. */
import { z } from 'zod';
import { FORMAT } from '../../../client/scripts/lib/trace/record.ts';

const format = z.literal(FORMAT, { error: `this version reads format ${FORMAT}, the file has another` });
const amount = z.number().nonnegative();
/** As Linux allows it, and no way out of the visit's folder. */
const interfaceName = z.string().regex(/^(?!\.)[\w.-]{1,15}$/, { error: 'no name of a network interface' });

export const manifestSchema = z.object({
  format,
  created: z.string(),
  settings: z.object({
    urls: z.array(z.string()),
    visits: amount,
    strategy: z.string(),
    period: z.number(),
    seed: z.number(),
    interfaces: z.array(interfaceName),
    timeout: z.number(),
    linger: z.number(),
    retries: amount,
    headers_only: z.boolean(),
  }),
  tunnels: z.array(
    z.object({
      interface: interfaceName,
      client_address: z.string(),
      endpoint: z.string(),
      mtu: z.number(),
    }),
  ),
  sessions: z.array(
    z.object({
      started: z.string(),
      versions: z.record(z.string(), z.string()),
      host: z.object({
        kernel: z.string(),
        architecture: z.string(),
        cpus: z.number(),
        cpu: z.string(),
        memory: z.number(),
      }),
    }),
  ),
});
export type ReportManifest = z.infer<typeof manifestSchema>;

const pathSchema = z.object({
  interface: interfaceName,
  client_address: z.string(),
  packets_out: amount,
  packets_in: amount,
  bytes_out: amount,
  bytes_in: amount,
  in_force: z.number(),
});
export type PathSums = z.infer<typeof pathSchema>;

export const summarySchema = z.object({
  format,
  visit: z.string(),
  attempt: z.number(),
  label: z.number(),
  instance: z.number(),
  url: z.string(),
  protocol: z.string(),
  final_url: z.string().nullable(),
  http_status: z.number().nullable(),
  status: z.enum(['success', 'timeout', 'failure']),
  failure: z.object({ kind: z.string(), message: z.string() }).nullable(),
  notes: z.array(z.string()),
  started: z.number(),
  navigated: z.number().nullable(),
  loaded: z.number().nullable(),
  ended: z.number(),
  seed: z.number(),
  weights: z.array(z.number()).nullable(),
  interfaces: z.array(interfaceName),
  title: z.string().nullable(),
  paths: z.array(pathSchema).max(127),
  checks: z.array(z.object({ name: z.string(), ok: z.boolean(), detail: z.string() })),
  leaked: amount.nullable(),
  switch_count: amount,
});
export type Summary = z.infer<typeof summarySchema>;

/** `settings.visits: Invalid input: expected number, received string`. */
export const problemOf = (error: z.ZodError): string =>
  error.issues
    .slice(0, 3)
    .map(({ path, message }) => `${path.join('.') || 'the file'}: ${message}`)
    .join('; ');
