/** What the browser's own trace says of the page itself. Pure. */
import type { HttpTraceEntry } from '../trace/record.ts';
import { type DevtoolsEvent, networkOf } from '../visit.ts';

/** `tcp` for HTTP/1.1 and 2, `quic` for HTTP/3 (Chromium's `h3`), else the name that Chromium has for it. */
export function protocolOf(name: string): string {
  if (/^(http\/.*|h2c?|)$/.test(name)) return 'tcp';
  return /^h3\b/.test(name) ? 'quic' : name;
}

export interface DocumentFacts {
  /** HTTP status; null where no answer came. */
  http_status: number | null;
  protocol: string;
}

/** `frame`: id of the page's own frame; `asked`: the protocol where no answer came. */
export function documentOf(trace: readonly HttpTraceEntry[], frame: string, asked = 'tcp'): DocumentFacts {
  const events = trace.map(({ message }) => message.message as DevtoolsEvent);
  const { page } = networkOf(events, frame);
  return {
    http_status: page?.status ?? null,
    protocol: page === undefined ? asked : protocolOf(page.protocol),
  };
}

/** Whether a page has led to another site: another host that is neither above nor below the first. */
export function otherSite(asked: string, final: string): boolean {
  if (!URL.canParse(final)) return false;
  const [from, to] = [new URL(asked).hostname, new URL(final).hostname].map((name) =>
    name.replace(/^www\./, ''),
  );
  if (from === undefined || to === undefined || to === '' || from === to) return false;
  return !from.endsWith(`.${to}`) && !to.endsWith(`.${from}`);
}
