/** What the browser's own trace says of the page itself. Pure. */
import type { HttpTraceEntry } from '../trace/record.ts';
import { type DevtoolsEvent, networkOf } from '../visit.ts';

/** `tcp` for HTTP/1.1 and 2, else the name that Chromium has for it, as `h3`. */
export const protocolOf = (name: string): string => (/^(|http\/.*|h2c?)$/.test(name) ? 'tcp' : name);

export interface DocumentFacts {
  /** HTTP status; null where no answer came. */
  http_status: number | null;
  protocol: string;
}

/** `frame`: id of the page's own frame. */
export function documentOf(trace: readonly HttpTraceEntry[], frame: string): DocumentFacts {
  const events = trace.map(({ message }) => message.message as DevtoolsEvent);
  const { page } = networkOf(events, frame);
  return { http_status: page?.status ?? null, protocol: protocolOf(page?.protocol ?? '') };
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
