/** Where each path's packets come out, as a site sees it. */
import { isIP } from 'node:net';
import { installLine, Missing, tell } from './tools.ts';
import { bad, type Finding, good, leftOut, MEND_SERVERS, SET_UP } from './verdict.ts';

/** `192.0.2.11:51820` and `[2001:db8::1]:51820` without the port. */
export const hostOf = (endpoint: string): string => endpoint.replace(/:\d+$/, '').replace(/^\[(.*)\]$/, '$1');

/** In the place of an interface: by whatever path programs' packets go at the moment. */
export const PROGRAMS = 'programs';

const idOf = (name: string): string => `exit-${name}`;
const whatOf = (name: string): string => (name === PROGRAMS ? 'exit as programs go' : `exit of ${name}`);

export interface ExitFacts {
  name: string;
  /** What the page printed; undefined where none came. */
  seen: string | undefined;
  trouble: string;
  /** The site itself refused: the packets came there and back. */
  refused?: boolean;
  /** Hosts of the endpoints by interface; of {@link PROGRAMS} the current path's. */
  hosts: ReadonlyMap<string, string>;
  /** Addresses of this machine's real interfaces. */
  own: readonly string[];
}

const OTHER_PAGE = '--exit-url a page that prints the caller’s address';

/** Pure. */
export function judgeExit({ name, seen, trouble, refused, hosts, own }: ExitFacts): Finding {
  const [id, what] = [idOf(name), whatOf(name)];
  if (seen === undefined) return bad(id, what, 'no page came', trouble, refused ? OTHER_PAGE : MEND_SERVERS);
  if (isIP(seen) === 0)
    return bad(id, what, JSON.stringify(seen.slice(0, 40)), 'that is no address', OTHER_PAGE);
  if (own.includes(seen)) return bad(id, what, seen, 'the site sees this machine itself', SET_UP);
  const other = [...hosts].find(([by, host]) => by !== PROGRAMS && host === seen)?.[0];
  // The current path may be another by now.
  if (name === PROGRAMS && other !== undefined) return good(id, what, `${seen}, the server of ${other}`);
  if (seen === hosts.get(name)) return good(id, what, `${seen}, its server`);
  if (other !== undefined) return bad(id, what, seen, `that is the server of ${other}`, MEND_SERVERS);
  return good(id, what, `${seen}, another address than its endpoint’s (${hosts.get(name) ?? 'none'})`);
}

/** How a page is to be asked for. */
export interface Asking {
  hosts: ReadonlyMap<string, string>;
  own: readonly string[];
  /** By HTTP/3 alone, as TCP is refused. */
  http3: boolean;
}

/** What the site behind a page sees by one interface alone, or as every program goes. */
async function ask(name: string, url: string, { http3, ...facts }: Asking): Promise<Finding> {
  const by = name === 'wg0' || name === PROGRAMS ? [] : ['--interface', name];
  const { code, text, said } = await tell([
    'curl',
    '-sS',
    '-f',
    '-m',
    '5',
    '--max-filesize',
    '1000',
    ...(http3 ? ['--http3-only'] : []),
    ...by,
    url,
  ]);
  const reason = said.trim().split('\n').at(-1) || `curl ended with ${code}`;
  const trouble = http3 ? `${reason} (by HTTP/3 alone, as TCP is refused here)` : reason;
  // 22: an HTTP error.
  const seen = code === 0 ? text.trim() : undefined;
  return judgeExit({ name, seen, trouble, refused: code === 22, ...facts });
}

const STICKY = '; or allow_tcp: sticky in config.cfg';

/** Why a page cannot be asked for by HTTP/3; undefined where it can. */
async function noHttp3(url: string): Promise<[reason: string, remedy: string] | undefined> {
  if (!url.startsWith('https:'))
    return ['TCP is refused here, and it is no https:// page', `a page with HTTP/3${STICKY}`];
  const { text } = await tell(['curl', '-V']);
  if (/^Features:.*\bHTTP3\b/m.test(text)) return undefined;
  return ['TCP is refused here, and this machine’s curl has no HTTP/3', `curl of Debian 13${STICKY}`];
}

/** The exits of all tunnels; without a page only the proxies' addresses are known, and nothing is proven. */
export async function exits(
  names: readonly string[],
  url: string | undefined,
  facts: Asking,
): Promise<Finding[]> {
  const without = (name: string, reason: string, remedy?: string): Finding => ({
    ...leftOut(idOf(name), whatOf(name), reason, remedy),
    found: facts.hosts.get(name) ?? '',
  });
  if (url === undefined)
    return names.map((name) =>
      without(name, `${facts.hosts.get(name) ?? 'unknown'} by its endpoint; --exit-url asks a site`),
    );
  return Promise.all(
    names.map(async (name) => {
      try {
        const without3 = facts.http3 ? await noHttp3(url) : undefined;
        if (without3 !== undefined) return without(name, ...without3);
        return await ask(name, url, facts);
      } catch (error) {
        if (error instanceof Missing) return without(name, error.message, installLine(error.program));
        throw error;
      }
    }),
  );
}
