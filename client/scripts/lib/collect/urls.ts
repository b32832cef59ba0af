import { Fault } from '../fault.ts';

export interface UrlList {
  /** In the order given, each once. */
  urls: string[];
  /** What the user should know: lines that are left out. */
  notices: string[];
}

const NEXT = 'one address a line, with its scheme, as in https://www.example.org';

/** Characters of a line that are shown. */
const SHOWN = 200;

function refusal(line: string): string | undefined {
  if (/[\s\p{Cc}]/u.test(line)) return 'has a blank or a control character in it';
  // What a reader of UTF-8 makes of bytes that are none.
  if (line.includes('\ufffd')) return 'is not written in UTF-8';
  // `example.org:8080` is a host with its port.
  if (!/^[a-z][a-z\d+.-]*:(?!\d)/i.test(line)) {
    const meant = `https://${line.replace(/^\/+/, '')}`;
    const sure = /[.:]/.test(line) && !line.includes('@') && line.length <= SHOWN && URL.canParse(meant);
    return sure ? `has no scheme; is it ${meant}?` : 'is no URL';
  }
  if (!URL.canParse(line)) return 'is no URL';
  const { protocol, username, password } = new URL(line);
  if (!/^https?:$/.test(protocol))
    return `begins with ${protocol}, and only http and https pages are visited`;
  // They would stand in every record.
  return username !== '' || password !== '' ? 'has a user name or password in it' : undefined;
}

/**
 * Reads a list of URLs, one a line; blank lines and those that begin with # are left out. `name` is said in Faults;
 * `unreachable`: why this client cannot ask for one.
 */
export function readUrls(
  text: string,
  name: string,
  unreachable: (url: URL) => string | undefined = () => undefined,
): UrlList {
  /** By what the browser makes of them: `https://example.org` and `https://example.org/` are one page. */
  const first = new Map<string, { line: string; number: number }>();
  const wrong: string[] = [];
  const notices: string[] = [];
  for (const [i, raw] of text.split('\n').entries()) {
    // And a byte order mark, which is a blank too.
    const line = raw.trim();
    if (line === '' || line.startsWith('#')) continue;
    const why = refusal(line) ?? unreachable(new URL(line));
    // What was typed may have a password in it.
    const shown = line.includes('@') ? '' : ` ${JSON.stringify(line.slice(0, SHOWN))}`;
    if (why !== undefined) {
      wrong.push(`${name}:${i + 1}:${shown} ${why}`);
      continue;
    }
    const { href } = new URL(line);
    const earlier = first.get(href)?.number;
    if (earlier === undefined) first.set(href, { line, number: i + 1 });
    else
      notices.push(
        `${name}:${i + 1}: ${line} is there already (line ${earlier}); --visits says how often each is visited`,
      );
  }
  if (wrong.length > 0) {
    const more = wrong.length > 5 ? `\n  and ${wrong.length - 5} more` : '';
    throw new Fault({ what: wrong.slice(0, 5).join('\n  ') + more, next: NEXT });
  }
  if (first.size === 0) throw new Fault({ at: name, what: 'there is no URL', next: NEXT });
  return { urls: [...first.values()].map(({ line }) => line), notices };
}
