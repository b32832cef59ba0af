/** Python's fnmatch and re.match, as far as host patterns need them. */

const escaped = (text: string): string => text.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&');

/** What stands between brackets in a shell pattern, as JavaScript has it; `[!…]` is any other character. */
function classOf(inner: string): string {
  const not = inner.startsWith('!');
  const parts = (not ? inner.slice(1) : inner).match(/(.)-(.)|(.)/gs) ?? [];
  const items = parts.map((part) =>
    part.length === 3
      ? // A range whose end comes first has nothing in it.
        (part[0] as string) <= (part[2] as string)
        ? `${escaped(part[0] as string)}-${escaped(part[2] as string)}`
        : ''
      : escaped(part),
  );
  const whole = items.join('');
  if (whole === '') return not ? '[^]' : '[]';
  return `[${not ? '^' : ''}${whole}]`;
}

/** A shell pattern (`*`, `?`, `[abc]`, `[!abc]`) for whole names. */
export function globOf(pattern: string): RegExp {
  let source = '';
  for (let i = 0; i < pattern.length; i++) {
    const c = pattern[i] as string;
    const bracket = c === '[' ? /^\[(!?\]?[^\]]*)\]/s.exec(pattern.slice(i)) : null;
    if (bracket !== null) {
      source += classOf(bracket[1] as string);
      i += bracket[0].length - 1;
    } else source += c === '*' ? '.*' : c === '?' ? '.' : escaped(c);
  }
  return new RegExp(`^${source}$`, 's');
}

/** A regular expression of Python's that must match from a name's start on; undefined where it is none here. */
export function matchOf(source: string): RegExp | undefined {
  const [all = '', flags = ''] = /^\(\?([ims]+)\)/.exec(source) ?? [];
  try {
    return new RegExp(`^(?:${source.slice(all.length).replaceAll('(?P<', '(?<')})`, flags);
  } catch {
    return undefined;
  }
}
