import ini from 'ini';

/** A Python string literal, and perhaps a comment behind it. */
const LITERAL = /^(?:'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)")\s*(?:#.*)?$/;

const ESCAPES: Record<string, string> = { n: '\n', t: '\t', r: '\r', '\\': '\\', "'": "'", '"': '"' };

/**
 * A variable's text as Ansible understands it: a Python literal loses its quotes and a comment behind it;
 * anything else stays whole, with `;` and `#` and all.
 */
export function readValue(text: string): string {
  const number = /^(-?\d+)\s*#/.exec(text)?.[1];
  if (number !== undefined) return number;
  const match = LITERAL.exec(text);
  const inner = match?.[1] ?? match?.[2];
  return inner === undefined ? text : inner.replace(/\\(.)/g, (whole, c: string) => ESCAPES[c] ?? whole);
}

/** One `key = value` line of a `[group:vars]` section; undefined where it is none. */
export function readAssignment(line: string): { key: string; value: string } | undefined {
  const at = line.indexOf('=');
  const key = line.slice(0, at).trim();
  if (at === -1 || !/^[A-Za-z_][\w.-]*$/.test(key)) return undefined;
  const value = line.slice(at + 1).trim();
  // ini cuts at `;` and `#`, takes quotes as JSON and turns `true` into a truth value: Ansible does none of this.
  const plain = !/[;#\\"']/.test(value);
  return { key, value: plain ? String(ini.parse(`value=${value}`).value) : readValue(value) };
}
