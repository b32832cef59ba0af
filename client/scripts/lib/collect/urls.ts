import { Fault } from '../fault.ts';

export interface UrlList {
  /** In the order given, each once. */
  urls: string[];
  /** What the user should know: lines that are left out. */
  notices: string[];
}

const NEXT = 'one address a line, with its scheme, as in https://www.example.org';

function refusal(line: string): string | undefined {
  if (/\s/.test(line)) return 'has a blank in it';
  if (!URL.canParse(line)) {
    const meant = `https://${line}`;
    return URL.canParse(meant) && line.includes('.') ? `has no scheme; is it ${meant}?` : 'is no URL';
  }
  const { protocol, hostname, username, password } = new URL(line);
  if (!/^https?:$/.test(protocol))
    return `begins with ${protocol}, and only http and https pages are visited`;
  if (hostname === '') return 'names no host';
  // They would stand in every record.
  return username !== '' || password !== '' ? 'has a user name or password in it' : undefined;
}

/** Reads a list of URLs, one a line; blank lines and those that begin with # are left out. `name` is said in Faults. */
export function readUrls(text: string, name: string): UrlList {
  const first = new Map<string, number>();
  const wrong: string[] = [];
  const notices: string[] = [];
  for (const [i, raw] of text
    .replace(/^\ufeff/, '')
    .split('\n')
    .entries()) {
    const line = raw.trim();
    if (line === '' || line.startsWith('#')) continue;
    const why = refusal(line);
    const earlier = first.get(line);
    // What was typed may be a secret where it has a password.
    const shown = why?.includes('password') ? '' : ` ${JSON.stringify(line.slice(0, 200))}`;
    if (why !== undefined) wrong.push(`${name}:${i + 1}:${shown} ${why}`);
    else if (earlier === undefined) first.set(line, i + 1);
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
  return { urls: [...first.keys()], notices };
}
