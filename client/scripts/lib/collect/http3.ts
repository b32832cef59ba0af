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
 * What Chromium has to ask by QUIC, for its flag: everything where TCP is refused; else the page's own origin, as others
 * may have no HTTP/3.
 */
export function forcedOrigins(tcp: Tcp, url: string): string {
  if (tcp === 'none') return '*';
  const page = new URL(url);
  return `${page.hostname}:${portOf(page)}`;
}

/** Why a client in this mode cannot ask for a URL, whatever becomes of other TCP there; undefined where it can. */
export const unreachable = (mode: Mode, { protocol }: URL): string | undefined =>
  mode === 'quic' && protocol === 'http:'
    ? 'http:// is TCP, and mode quic takes pages by HTTP/3 alone; write https://'
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

/**
 * A page at another origin than the one that Chromium was told to ask by QUIC, with sticky TCP: nobody asked for that one
 * by HTTP/3. Undefined for any other.
 */
export function otherOrigin(tcp: Tcp, first: string, last: string): Failure | undefined {
  if (tcp === 'none' || !URL.canParse(last)) return undefined;
  const { origin } = new URL(last);
  if (!/^https?:/.test(origin) || origin === new URL(first).origin) return undefined;
  const hint = origin.startsWith('https:') ? 'which was not told to use QUIC: give that URL' : 'which is TCP';
  return { kind: 'no-http3', message: `redirected to ${origin}, ${hint}` };
}

export interface NoAnswer {
  /** The address that the visit is of. */
  first: string;
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
export function withoutHttp3({ first, failure, document, asked, tcp, paths }: NoAnswer): Failure | undefined {
  if (failure === undefined || document.http_status !== null || !URL.canParse(asked)) return failure;
  const url = new URL(asked);
  const reason = /\bERR_\w+/.exec(failure.message)?.[0] ?? '';
  if (tcp === 'none' && url.protocol === 'http:' && reason === 'ERR_CONNECTION_REFUSED')
    return { kind: 'no-http3', message: `it leads on to ${asked}: TCP, which this client refuses` };
  const other = otherOrigin(tcp, first, asked);
  if (failure.kind === 'network' && reason.startsWith('ERR_CONNECTION_') && other !== undefined) return other;
  const port = portOf(url);
  const heard = datagrams(paths, port);
  const what = `${url.hostname}: no answer from UDP port ${port}: no HTTP/3 there, nobody there, or UDP ${port} does not pass`;
  if (failure.kind === 'network' && reason.startsWith('ERR_QUIC_'))
    return heard.in === 0
      ? { kind: 'no-http3', message: `${what} (${reason})` }
      : {
          kind: 'network',
          message: `${reason}: ${url.hostname} answered by QUIC, and no connection came of it; is its certificate good?`,
        };
  if (failure.kind === 'timeout' && heard.out > 0 && heard.in === 0)
    return {
      kind: 'no-http3',
      message: `${what}, or it is slow (${failure.message}; Chromium waits 4 s for a handshake)`,
    };
  return failure;
}

/** What makes a page that came no success in mode quic; undefined where it came by HTTP/3. `last`: where it came from. */
export function byTcp(
  { mode, tcp }: { mode: Mode; tcp: Tcp },
  { protocol, http_status }: DocumentFacts,
  { first, last }: { first: string; last: string },
): Failure | undefined {
  if (mode !== 'quic' || http_status === null || protocol === QUIC) return undefined;
  const message = `${new URL(last).host} answered by TCP, and not by HTTP/3`;
  return otherOrigin(tcp, first, last) ?? { kind: 'no-http3', message };
}

/** Hosts that are named in a note. */
const MOST_NAMED = 5;

/** What else a page asked for, and got nothing of since no HTTP/3 came; with sticky TCP others than its own come by TCP. */
export function missedNotes(tcp: Tcp, trace: readonly HttpTraceEntry[]): string[] {
  const why = tcp === 'none' ? /ERR_(QUIC_\w+|CONNECTION_REFUSED)/ : /ERR_QUIC_/;
  const hosts = new Map<string, string>();
  const missed = new Set<string>();
  for (const { message } of trace) {
    const { method, params } = message.message;
    const {
      requestId = '',
      request,
      errorText = '',
    } = params as {
      requestId?: string;
      request?: { url: string };
      errorText?: string;
    };
    if (method === 'Network.requestWillBeSent' && request && /^https?:/.test(request.url))
      hosts.set(requestId, new URL(request.url).host);
    if (method === 'Network.loadingFailed' && hosts.has(requestId) && why.test(errorText))
      missed.add(requestId);
  }
  if (missed.size === 0) return [];
  const names = [...new Set([...missed].map((id) => hosts.get(id) ?? ''))];
  const more = names.length > MOST_NAMED ? ` and ${names.length - MOST_NAMED} more` : '';
  const named = names.slice(0, MOST_NAMED).join(', ') + more;
  return [`${missed.size} of ${hosts.size} requests came to nothing, as no HTTP/3 came from ${named}`];
}
