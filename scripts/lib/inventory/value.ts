import ini from 'ini';

/** What may stand behind a Python literal. */
const END = String.raw`\s*(?:#.*)?$`;

const CONSTANT = new RegExp(`^(True|False|None)${END}`);
const INTEGER = new RegExp(
  String.raw`^([+-]?)\s*(0[xX](?:_?[\da-fA-F])+|0[oO](?:_?[0-7])+|0[bB](?:_?[01])+|[1-9](?:_?\d)*|0(?:_?0)*)${END}`,
);

/**
 * A variable's text as Ansible understands it: of a Python literal, the text that Python would print. So strings lose
 * their quotes, numbers are written in the usual way (`0x10` is 16), and a comment behind a literal goes; anything else stays
 * whole, with `;` and `#` and all. Lists, dictionaries, fractions and bytes, which no variable of a connection is, stay
 * as they were written.
 */
export function readValue(text: string): string {
  const bare = text.replace(/^[ \t]+/, '');
  const constant = CONSTANT.exec(bare)?.[1];
  if (constant !== undefined) return constant;
  const [, sign, digits] = INTEGER.exec(bare) ?? [];
  if (digits !== undefined) {
    const size = BigInt(digits.replaceAll('_', ''));
    return String(sign === '-' ? -size : size);
  }
  return readStrings(bare) ?? text;
}

const OPENING = /\s*(u|r)?('''|"""|'|")/iy;

/** Python strings, one behind the other, joined; undefined where a text is anything else. */
function readStrings(text: string): string | undefined {
  let whole: string | undefined;
  let at = 0;
  for (;;) {
    OPENING.lastIndex = at;
    const opening = OPENING.exec(text);
    if (opening === null) break;
    const [all, prefix = '', quote = ''] = opening;
    const start = at + all.length;
    const close = closeOf(text, start, quote);
    if (close === undefined) return undefined;
    const inner = text.slice(start, close);
    const piece = prefix.toLowerCase() === 'r' ? inner : withoutEscapes(inner);
    if (piece === undefined) return undefined;
    whole = (whole ?? '') + piece;
    at = close + quote.length;
  }
  return new RegExp(`^${END}`).test(text.slice(at)) ? whole : undefined;
}

/** Where the quotes that are open close; a backslash takes the next character along. */
function closeOf(text: string, start: number, quote: string): number | undefined {
  for (let i = start; i < text.length; i++)
    if (text[i] === '\\') i++;
    else if (text.startsWith(quote, i)) return i;
  return undefined;
}

const ESCAPES: Record<string, string> = {
  ...{ n: '\n', t: '\t', r: '\r', a: '\x07', b: '\b', f: '\f', v: '\v' },
  ...{ '\\': '\\', "'": "'", '"': '"' },
};
const ESCAPE = /\\(?:([0-7]{1,3})|x([\da-fA-F]{2})|u([\da-fA-F]{4})|U([\da-fA-F]{8})|(.))/g;

/** A string's escapes as Python reads them: unknown ones stay; undefined where one is cut off, and for `\N{name}`. */
function withoutEscapes(inner: string): string | undefined {
  let wrong = false;
  const read = (whole: string, octal?: string, x?: string, u?: string, U?: string, one?: string): string => {
    if (one !== undefined) {
      if (/[xuUN]/.test(one)) wrong = true;
      return ESCAPES[one] ?? whole;
    }
    const code = octal === undefined ? Number.parseInt(x ?? u ?? U ?? '', 16) : Number.parseInt(octal, 8);
    if (code <= 0x10_ffff) return String.fromCodePoint(code);
    wrong = true;
    return whole;
  };
  const text = inner.replace(ESCAPE, read);
  return wrong ? undefined : text;
}

/** One `key = value` line of a `[group:vars]` section; undefined where it is none. */
export function readAssignment(line: string): { key: string; value: string } | undefined {
  const at = line.indexOf('=');
  const key = line.slice(0, at).trim();
  if (at === -1 || !/^[A-Za-z_][\w.-]*$/.test(key)) return undefined;
  const value = line.slice(at + 1).trim();
  // ini cuts at `;` and `#`, takes quotes as JSON and turns `true` into a truth value: Ansible does none of this.
  const plain = !/[;#\\"']/.test(value);
  return { key, value: readValue(plain ? String(ini.parse(`value=${value}`).value) : value) };
}
