import { isIP } from 'node:net';

/** Hosts that one pattern may stand for; a slip such as `[1:99999]` ends here. */
const MOST_HOSTS = 1024;

const LETTERS = /^(?:[a-z]:[a-z]|[A-Z]:[A-Z])$/;

const RANGE = String.raw`\[(?:[a-z]:[a-z]|\d+:\d+)(?::\d+)?\]`;
const LABEL = String.raw`(?:\w|${RANGE})(?:[\w-]|${RANGE})*(?<![_-])`;
const HOST = new RegExp(String.raw`^${LABEL}(?:\.${LABEL})*$`, 'i');
const HEX_RANGE = /\[[\da-f]+:[\da-f]+(?::\d+)?\]/gi;

/** Whether Ansible takes a text for a host, ranges and all. Of another it looks for no port, and in a pattern splits it at `:`. */
export const isHostLike = (text: string): boolean =>
  HOST.test(text) || isIP(text.replace(HEX_RANGE, '0')) === 6;

/** `host:port` and `[host]:port` taken apart; the port is undefined where there is none. */
export function splitPort(word: string): { host: string; port: string | undefined } {
  const match = /^\[(.+)\]:(\d+)$/.exec(word) ?? /^((?:[^:[\]]|\[[^\]]*\])*):(\d+)$/.exec(word);
  return { host: match?.[1] ?? word, port: match?.[2] };
}

/**
 * Reads the first word of a host line: `web1`, `192.0.2.1:2222`, `[2001:db8::1]:22`, `web[01:20].example.com`.
 * A RangeError says what is wrong with it.
 */
export function readPattern(word: string): { names: string[]; port: string | undefined } {
  const { host: pattern, port } = splitPort(word);
  if (port === undefined && /:\w*$/.test(word) && isIP(word) === 0 && !word.includes('['))
    throw new RangeError(
      word.endsWith(':')
        ? 'ends in `:`, which stands before a port (is this a YAML inventory? the INI format was expected)'
        : 'has a port that is no number',
    );
  const names = expand(pattern);
  for (const name of names)
    if ((isIP(name) === 0 || name.includes('%')) && !/^[A-Za-z0-9_](?:[\w.-]*\w)?$/.test(name))
      throw new RangeError('is no host name or address: letters, digits, `.`, `-` and `_` were expected');
  if (port !== undefined && !isHostLike(pattern))
    throw new RangeError(
      'is no host name before its port: Ansible would take the port for a part of the name',
    );
  return { names, port: port === undefined ? undefined : String(Number(port)) };
}

/** Every `[from:to]` or `[from:to:step]` of a pattern written out, the rightmost turning fastest. */
function expand(pattern: string): string[] {
  const match = /^([^[\]]*)\[([^[\]]*)\](.*)$/.exec(pattern);
  if (match === null) {
    if (/[[\]]/.test(pattern)) throw new RangeError('has a bracket that is not closed, or not opened');
    return [pattern];
  }
  const [, head = '', range = '', tail = ''] = match;
  const tails = expand(tail);
  const items = rangeItems(range);
  if (items.length * tails.length > MOST_HOSTS)
    throw new RangeError(`stands for more than ${MOST_HOSTS} hosts`);
  return items.flatMap((item) => tails.map((rest) => head + item + rest));
}

function rangeItems(range: string): string[] {
  const [from = '', to = '', by = '1', ...more] = range.split(':');
  const step = Number(by);
  if (more.length > 0 || !/^\d+$/.test(by) || step < 1)
    throw new RangeError(`has the range [${range}]: [from:to] or [from:to:step] was expected`);
  if (LETTERS.test(`${from}:${to}`))
    return steps(from.charCodeAt(0), to.charCodeAt(0), step, range).map((code) => String.fromCharCode(code));
  if (!/^\d*$/.test(from) || !/^\d+$/.test(to))
    throw new RangeError(`has the range [${range}]: two numbers or two letters of one case were expected`);
  const width = from.length > 1 && from.startsWith('0') ? from.length : 0;
  if (width > 0 && to.length !== width)
    throw new RangeError(`has the range [${range}]: both ends must have as many digits`);
  return steps(Number(from), Number(to), step, range).map((n) => String(n).padStart(width, '0'));
}

function steps(from: number, to: number, step: number, range: string): number[] {
  if (from > to) throw new RangeError(`has the range [${range}], whose end comes before its start`);
  const count = Math.floor((to - from) / step) + 1;
  if (count > MOST_HOSTS) throw new RangeError(`stands for more than ${MOST_HOSTS} hosts`);
  return Array.from({ length: count }, (_, i) => from + i * step);
}
