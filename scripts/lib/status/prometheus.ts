/** The status as Prometheus reads it: text exposition format 0.0.4. Pure. */
import { MODES } from '../../../client/scripts/lib/modes.ts';
import type { EndStatus, Status, TunnelStatus } from './status.ts';

type Labels = Readonly<Record<string, string>>;

/** A value that is not known has no sample. */
interface Sample {
  labels?: Labels;
  value: number | boolean | null | undefined;
}

interface Metric {
  name: string;
  help: string;
  type: 'gauge' | 'counter';
  samples: Sample[];
}

/** In a label's value a backslash, a quote and a line break are escaped; in a help text only the first and the last. */
export const escapeLabel = (text: string): string => escapeHelp(text).replaceAll('"', '\\"');
const escapeHelp = (text: string): string => text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n');

const labelText = (labels: Labels = {}): string => {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escapeLabel(value)}"`);
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`;
};

function linesOf({ name, help, type, samples }: Metric): string[] {
  const known = samples.filter(({ value }) => value !== null && value !== undefined);
  if (known.length === 0) return [];
  return [
    `# HELP ${name} ${escapeHelp(help)}`,
    `# TYPE ${name} ${type}`,
    ...known.map(({ labels, value }) => `${name}${labelText(labels)} ${Number(value)}`),
  ];
}

/** A sample a tunnel. */
const each = (
  { tunnels }: Status,
  pick: (tunnel: TunnelStatus) => number | boolean | null | undefined,
): Sample[] =>
  tunnels.map((tunnel) => ({
    labels: { tunnel: tunnel.interface, server: tunnel.server.name },
    value: pick(tunnel),
  }));

/** A sample a tunnel and end: the same traffic as each of the two counts it. */
const bothEnds = (
  { tunnels }: Status,
  pick: (end: EndStatus, of: 'client' | 'server') => number | null,
): Sample[] =>
  tunnels.flatMap((tunnel) =>
    (['client', 'server'] as const).map((seenBy) => ({
      labels: { tunnel: tunnel.interface, server: tunnel.server.name, seen_by: seenBy },
      value: pick(tunnel[seenBy], seenBy),
    })),
  );

/** Times are of this machine's clock: an age grows on its own until it is scraped, a time does not. */
function metricsOf(status: Status): Metric[] {
  const { time, client, troubles } = status;
  const gauge = (name: string, help: string, samples: Sample[]): Metric => ({
    name,
    help,
    type: 'gauge',
    samples,
  });
  const counter = (name: string, help: string, samples: Sample[]): Metric => ({
    name,
    help,
    type: 'counter',
    samples,
  });
  const moved = (kind: 'time' | 'packet'): Sample => ({
    labels: { by: kind },
    value: client.migration === null ? null : client.migration === kind,
  });
  return [
    gauge('comps_well', 'Whether nothing is wrong with the network.', [{ value: status.well }]),
    gauge(
      'comps_mode',
      'The mode of the network, as config.cfg and flags have it.',
      MODES.map((mode) => ({ labels: { mode }, value: status.mode === mode })),
    ),
    gauge('comps_findings', 'What is not as it should be, of all tunnels.', [{ value: troubles.length }]),
    gauge(
      'comps_tunnel_well',
      'Whether nothing is wrong with a tunnel.',
      each(status, ({ well }) => well),
    ),
    gauge(
      'comps_tunnel_last_handshake_timestamp_seconds',
      'When client and server last shook hands, in seconds since 1970.',
      each(status, ({ handshakeAge }) => (handshakeAge === null ? null : time - handshakeAge)),
    ),
    counter(
      'comps_tunnel_up_bytes_total',
      'Bytes from the client to the server: what the client sent, and what the server received.',
      bothEnds(status, ({ sent, received }, of) => (of === 'client' ? sent : received)),
    ),
    counter(
      'comps_tunnel_down_bytes_total',
      'Bytes from the server to the client: what the server sent, and what the client received.',
      bothEnds(status, ({ sent, received }, of) => (of === 'client' ? received : sent)),
    ),
    gauge(
      'comps_tunnel_current_path',
      'Whether the next packet of the client goes by this tunnel.',
      each(status, ({ current }) => current),
    ),
    gauge(
      'comps_tunnel_keys_match',
      'Whether each end knows the key that the other has.',
      each(status, ({ keysMatch }) => keysMatch),
    ),
    gauge(
      'comps_tunnel_files_current',
      'Whether the client file of a tunnel is as a set-up would write it now.',
      each(status, ({ files }) => (files === null ? null : files === 'current')),
    ),
    gauge(
      'comps_server_reachable',
      'Whether a server could be asked.',
      each(status, ({ server }) => server.reachable),
    ),
    gauge(
      'comps_server_drift_changes',
      'Changes that a set-up would make on a server.',
      each(status, ({ drift }) => drift.count),
    ),
    gauge('comps_client_up', 'Whether the client could be asked.', [{ value: client.answers }]),
    gauge('comps_client_migrating', 'Whether the path is moved, by the clock or packet by packet.', [
      moved('time'),
      moved('packet'),
    ]),
  ];
}

/** The whole text, each line ended. */
export const prometheusText = (status: Status): string =>
  metricsOf(status)
    .flatMap(linesOf)
    .map((line) => `${line}\n`)
    .join('');
