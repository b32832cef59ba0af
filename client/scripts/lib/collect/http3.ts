/** What mode quic asks of a page, and the words where it did not come by HTTP/3. Pure. */
import type { Mode, Tcp } from '../modes.ts';
import { type Pcap, UDP } from '../trace/pcap.ts';
import type { Failure, HttpTraceEntry } from '../trace/record.ts';
import type { DocumentFacts } from './network.ts';

/** What {@link DocumentFacts} calls HTTP/3. */
export const QUIC = 'quic';

const HTTPS = 443;
const portOf = ({ port }: URL): number => (port === '' ? HTTPS : Number(port));

/**
 * What Chromium has to ask by QUIC, for its flag: everything where TCP is refused; else the page's own origin, or that
 * of its https:// page, as others may have no HTTP/3.
 */
export function forcedOrigins(tcp: Tcp, url: string): string {
  if (tcp === 'none') return '*';
  const page = new URL(url);
  return `${page.hostname}:${page.protocol === 'http:' ? HTTPS : portOf(page)}`;
}

/** Why a client in this mode cannot ask for a URL; undefined where it can. */
export const unreachable = (mode: Mode, tcp: Tcp, { protocol }: URL): string | undefined =>
  mode === 'quic' && tcp === 'none' && protocol === 'http:'
    ? 'http:// is TCP, which this client refuses; write https://, or allow_tcp: sticky'
    : undefined;

/** The last address that the page's own frame asked for, behind redirects; `asked` where there is none. */
export function lastAsked(trace: readonly HttpTraceEntry[], frame: string, asked: string): string {
  const urls = trace.flatMap(({ message: { message } }) => {
    const { type, frameId, request } = message.params as {
      type?: string;
      frameId?: string;
      request?: { url: string };
    };
    const own = message.method === 'Network.requestWillBeSent' && type === 'Document' && frameId === frame;
    return own && request !== undefined && /^https?:/.test(request.url) ? [request.url] : [];
  });
  return urls.at(-1) ?? asked;
}

/** UDP packets to a port of anybody, and answers to them: what comes for a browser of before is none. */
function datagrams(paths: readonly { pcap: Pcap }[], port: number): { out: number; in: number } {
  const all = paths.flatMap(({ pcap }) =>
    pcap.packets.filter((packet) => packet.protocol === UDP && packet.port === port),
  );
  const sent = all.filter(({ direction }) => direction === 1);
  const own = new Set(sent.map((packet) => packet.own));
  const answers = all.filter((packet) => packet.direction === -1 && own.has(packet.own));
  return { out: sent.length, in: answers.length };
}

export interface NoAnswer {
  /** What the page's failure is so far. */
  failure: Failure | undefined;
  document: DocumentFacts;
  /** The address that was asked for last. */
  asked: string;
  tcp: Tcp;
  /** Read with what each packet carries. */
  paths: readonly { pcap: Pcap }[];
}

/**
 * The failure of a page in mode quic: where its site answered no QUIC handshake, that. Chromium waits 4 s for an answer
 * (ERR_QUIC_PROTOCOL_ERROR), and not at all where its packets are refused (ERR_QUIC_HANDSHAKE_FAILED); a time-out may
 * come before.
 */
export function withoutHttp3({ failure, document, asked, tcp, paths }: NoAnswer): Failure | undefined {
  if (failure === undefined || document.http_status !== null || !URL.canParse(asked)) return failure;
  const url = new URL(asked);
  const reason = /\bERR_\w+/.exec(failure.message)?.[0] ?? '';
  if (tcp === 'none' && url.protocol === 'http:' && reason === 'ERR_CONNECTION_REFUSED')
    return { kind: 'no-http3', message: `it leads on to ${asked}: TCP, which this client refuses` };
  const port = portOf(url);
  const heard = datagrams(paths, port);
  const what = `${url.hostname} answered no QUIC handshake`;
  if (failure.kind === 'network' && reason.startsWith('ERR_QUIC_'))
    return heard.in === 0
      ? { kind: 'no-http3', message: `${what}: it has no HTTP/3 at port ${port} (${reason})` }
      : {
          kind: 'network',
          message: `${reason}: ${url.hostname} answered by QUIC, and no connection came of it; is its certificate good?`,
        };
  if (failure.kind === 'timeout' && heard.out > 0 && heard.in === 0)
    return {
      kind: 'no-http3',
      message: `${what}: it has no HTTP/3 at port ${port}, or is slow (${failure.message}; Chromium waits 4 s for a handshake)`,
    };
  return failure;
}

/** What makes a page that came no success in mode quic; undefined where it came by HTTP/3. */
export function byTcp(
  mode: Mode,
  { protocol, http_status }: DocumentFacts,
  url: string,
): Failure | undefined {
  if (mode !== 'quic' || http_status === null || protocol === QUIC) return undefined;
  const { host } = new URL(url);
  return { kind: 'no-http3', message: `${host} answered by TCP, and not by HTTP/3` };
}
