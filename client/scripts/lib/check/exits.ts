/** Where each path's packets come out, as a site sees it. */
import { isIP } from 'node:net';
import { installLine, Missing, tell } from './tools.ts';
import { bad, type Finding, good, leftOut, MEND_SERVERS, SET_UP } from './verdict.ts';

/** `192.0.2.11:51820` and `[2001:db8::1]:51820` without the port. */
export const hostOf = (endpoint: string): string => endpoint.replace(/:\d+$/, '').replace(/^\[(.*)\]$/, '$1');

const idOf = (name: string): string => `exit-${name}`;
const whatOf = (name: string): string => `exit of ${name}`;

export interface ExitFacts {
  name: string;
  /** What the page printed; undefined where none came. */
  seen: string | undefined;
  trouble: string;
  /** Hosts of the endpoints by interface. */
  hosts: ReadonlyMap<string, string>;
  /** Addresses of this machine's real interfaces. */
  own: readonly string[];
}

/** Pure. */
export function judgeExit({ name, seen, trouble, hosts, own }: ExitFacts): Finding {
  const [id, what] = [idOf(name), whatOf(name)];
  if (seen === undefined) return bad(id, what, 'no page came', trouble, MEND_SERVERS);
  if (isIP(seen) === 0)
    return bad(
      id,
      what,
      JSON.stringify(seen.slice(0, 40)),
      'that is no address',
      '--exit-url a page that prints the caller’s address',
    );
  if (own.includes(seen)) return bad(id, what, seen, 'the site sees this machine itself', SET_UP);
  if (seen === hosts.get(name)) return good(id, what, `${seen}, its server`);
  const other = [...hosts].find(([, host]) => host === seen)?.[0];
  if (other !== undefined) return bad(id, what, seen, `that is the server of ${other}`, MEND_SERVERS);
  return good(id, what, `${seen}, another address than its endpoint’s (${hosts.get(name) ?? 'none'})`);
}

/** What the site behind a page sees by one interface alone; by wg0 as every program goes. */
async function ask(name: string, url: string, facts: Pick<ExitFacts, 'hosts' | 'own'>): Promise<Finding> {
  const by = name === 'wg0' ? [] : ['--interface', name];
  const { code, text, said } = await tell([
    'curl',
    '-sS',
    '-f',
    '-m',
    '5',
    '--max-filesize',
    '1000',
    ...by,
    url,
  ]);
  const trouble = said.trim().split('\n').at(-1) || `curl ended with ${code}`;
  return judgeExit({ name, seen: code === 0 ? text.trim() : undefined, trouble, ...facts });
}

/** The exits of all tunnels; without a page only the proxies' addresses are known, and nothing is proven. */
export async function exits(
  names: readonly string[],
  url: string | undefined,
  facts: Pick<ExitFacts, 'hosts' | 'own'>,
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
        return await ask(name, url, facts);
      } catch (error) {
        if (error instanceof Missing) return without(name, error.message, installLine(error.program));
        throw error;
      }
    }),
  );
}
