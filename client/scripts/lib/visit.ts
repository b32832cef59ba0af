/** What one visit of a page came to: from the browser's own records to what a person reads. All pure. */
import { Fault } from './fault.ts';

/** Milliseconds; 0 where that step was not needed, as TLS for http. */
export interface Timing {
  dns: number;
  connect: number;
  tls: number;
  /** From the request to the answer's first byte. */
  firstByte: number;
  /** From the start to the answer's last byte. */
  document: number;
  /** From the start to the end of the load event, all of the page's parts there. */
  load: number;
}

export interface Visit {
  /** Where it ended, after redirects. */
  url: string;
  title: string;
  /** HTTP status of the page itself. */
  status: number;
  protocol: string;
  /** Address that the page came from, as the browser knows it. */
  address: string;
  timing: Timing;
  /** Requests that were answered, and all bytes that came for them, headers included. */
  requests: number;
  bytes: number;
}

/** The address that a person means: `www.example.org` is a page over HTTPS. */
export function pageUrl(words: string): string {
  const text = /^[a-z][a-z0-9+.-]*:\/\//i.test(words) ? words : `https://${words}`;
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol) || url.hostname === '' || /\s/.test(words))
    throw new Fault({
      at: JSON.stringify(words),
      what: 'is not the address of a web page',
      next: 'npx zx client/scripts/open_website.ts www.example.org',
    });
  return url.href;
}

/** File name for a page's screenshot: `www.example.org.png`. */
export const screenshotName = (url: string): string => `${new URL(url).host.replace(/[^\w.-]/g, '_')}.png`;

/** What is used of a PerformanceNavigationTiming. */
export interface NavigationEntry {
  domainLookupStart: number;
  domainLookupEnd: number;
  connectStart: number;
  secureConnectionStart: number;
  connectEnd: number;
  requestStart: number;
  responseStart: number;
  responseEnd: number;
  loadEventEnd: number;
}

export function timingOf(entry: NavigationEntry): Timing {
  const { connectStart, secureConnectionStart: secure, connectEnd } = entry;
  const rounded = (ms: number): number => Math.max(0, Math.round(ms * 10) / 10);
  return {
    dns: rounded(entry.domainLookupEnd - entry.domainLookupStart),
    connect: rounded((secure || connectEnd) - connectStart),
    tls: secure === 0 ? 0 : rounded(connectEnd - secure),
    firstByte: rounded(entry.responseStart - entry.requestStart),
    document: rounded(entry.responseEnd),
    load: rounded(entry.loadEventEnd),
  };
}

/** A line of chromedriver's performance log: an event of the DevTools protocol. */
export interface DevtoolsEvent {
  method: string;
  params: {
    requestId?: string;
    type?: string;
    frameId?: string;
    response?: { url: string; status: number; protocol?: string; remoteIPAddress?: string };
    encodedDataLength?: number;
    errorText?: string;
  };
}

/** What the network did: the page's own answer (undefined where none came), why there is none, and how much came. */
export interface Network {
  page: { status: number; protocol: string; address: string } | undefined;
  error: string | undefined;
  requests: number;
  bytes: number;
}

/** Reads a performance log of one visit. `frame`: the id of the page's own frame. */
export function networkOf(events: readonly DevtoolsEvent[], frame: string): Network {
  const found: Network = { page: undefined, error: undefined, requests: 0, bytes: 0 };
  const documents = new Set<string>();
  for (const { method, params } of events) {
    const { requestId = '', type, frameId, response } = params;
    if (method === 'Network.requestWillBeSent' && type === 'Document' && frameId === frame)
      documents.add(requestId);
    if (method === 'Network.responseReceived' && response) {
      found.requests++;
      if (documents.has(requestId)) {
        const { status, protocol = '', remoteIPAddress = '' } = response;
        found.page = { status, protocol, address: remoteIPAddress };
        found.error = undefined;
      }
    }
    if (method === 'Network.loadingFinished') found.bytes += params.encodedDataLength ?? 0;
    if (method === 'Network.loadingFailed' && documents.has(requestId)) found.error = params.errorText;
  }
  return found;
}

const amount = (bytes: number): string =>
  bytes < 1e6 ? `${(bytes / 1e3).toFixed(1)} kB` : `${(bytes / 1e6).toFixed(1)} MB`;

/** A page's own words, without what would command the terminal. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is to go
const plain = (text: string): string => text.replace(/[\u0000-\u001f\u007f-\u009f]/g, ' ');

/** Lines for a person. */
export function visitLines(visit: Visit, screenshot: string | undefined): string[] {
  const { title, url, status, protocol, address, timing, requests, bytes } = visit;
  const { dns, connect, tls, firstByte, document, load } = timing;
  const times = Object.entries({ DNS: dns, connect, TLS: tls, 'first byte': firstByte, document, load });
  return [
    `title       ${title === '' ? '(none)' : plain(title)}`,
    `page        ${url}`,
    `status      ${status} (${[protocol, address].filter((text) => text !== '').join(', from ')})`,
    `time        ${times.map(([name, ms]) => `${name} ${ms} ms`).join(', ')}`,
    `received    ${amount(bytes)} in ${requests} answer${requests === 1 ? '' : 's'}`,
    ...(screenshot === undefined ? [] : [`screenshot  ${screenshot}`]),
  ];
}
