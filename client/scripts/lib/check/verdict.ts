/** What a check finds, and how it reads. Pure. */
import { fileURLToPath } from 'node:url';

/** The titles of the groups, in their order. */
export const GROUPS = {
  rules: 'Rules and tables',
  tunnels: 'Tunnels',
  probes: 'Probes, while every real interface is captured',
  mtu: 'Packet sizes',
  drills: 'What happens when …',
} as const;

export type Group = keyof typeof GROUPS;

/** One line of the verdict. */
export interface Check {
  /** Of letters, digits and dashes; the same in every run: `table-51821`, `tunnel-wgnet2`. */
  id: string;
  group: Group;
  /** Null: left out, for the reason given. */
  ok: boolean | null;
  what: string;
  /** What there is; empty where it was left out. */
  found: string;
  reason?: string;
  /** A command, to be typed where the check ran unless it says otherwise. */
  remedy?: string;
}

/** A check whose group is not said yet. */
export type Finding = Omit<Check, 'group'>;

/** What brings the client up, and mends nearly everything here. */
export const SET_UP_FILE = '/etc/wireguard/setup.sh';
export const SET_UP = `${SET_UP_FILE} up`;
/** What ends a split by packet, and takes all of it away. */
export const END_SPLIT = `npx zx ${fileURLToPath(new URL('../../migrate.ts', import.meta.url))} --stop`;
/** What mends a server; it reads the live state and changes what differs. */
export const MEND_SERVERS = "npx zx scripts/wgnet-setup.ts (on the host, in the project's folder)";

export const good = (id: string, what: string, found: string): Finding => ({ id, ok: true, what, found });

export const bad = (id: string, what: string, found: string, reason: string, remedy: string): Finding => ({
  id,
  ok: false,
  what,
  found,
  reason,
  remedy,
});

export const leftOut = (id: string, what: string, reason: string, remedy?: string): Finding => ({
  id,
  ok: null,
  what,
  found: '',
  reason,
  ...(remedy === undefined ? {} : { remedy }),
});

export const groupOf = (group: Group, findings: readonly Finding[]): Check[] =>
  findings.map(({ id, ...rest }) => ({ id, group, ...rest }));

export type Verdict = 'ok' | 'not ok';

/** What was left out speaks neither for nor against. */
export const verdictOf = (checks: readonly Pick<Check, 'ok'>[]): Verdict =>
  checks.some(({ ok }) => ok === false) ? 'not ok' : 'ok';

export type Colour = 'green' | 'red' | 'yellow' | 'dim' | 'bold';
export type Paint = (colour: Colour, text: string) => string;

const CODES: Record<Colour, [number, number]> = {
  green: [32, 39],
  red: [31, 39],
  yellow: [33, 39],
  dim: [2, 22],
  bold: [1, 22],
};

/** Colours for a terminal that wants some (https://no-color.org). */
export const paintFor =
  (terminal: boolean, env: NodeJS.ProcessEnv): Paint =>
  (colour, text) => {
    if (!terminal || env.NO_COLOR) return text;
    const [on, off] = CODES[colour];
    return `\u001b[${on}m${text}\u001b[${off}m`;
  };

const WORDS = { true: ['green', 'ok'], false: ['red', 'NOT OK'], null: ['yellow', 'left out'] } as const;
/** Characters of the longest word, and of what a line is about. */
const WORD = 8;
const WHAT = 34;

/** A check as lines of text. */
export function linesOf({ ok, what, found, reason, remedy }: Finding, paint: Paint): string[] {
  const [colour, word] = WORDS[`${ok}`];
  const said = ok === null ? (reason ?? '') : found;
  const first = `  ${paint(colour, word.padEnd(WORD))}  ${what.padEnd(WHAT)}  ${ok === null ? paint('dim', said) : said}`;
  const indent = ' '.repeat(WORD + 4);
  return [
    first.trimEnd(),
    ...(ok === false && reason !== undefined ? [`${indent}why   ${reason}`] : []),
    ...(ok !== true && remedy !== undefined ? [`${indent}next  ${paint('bold', remedy)}`] : []),
  ];
}

export const plural = (count: number, word: string): string => `${count} ${word}${count === 1 ? '' : 's'}`;

/** What is a layer by itself: left out, there is one that nobody has looked at. */
const LAYERS = new Set(['door', 'guard']);

/** The last line. */
export function summaryOf(checks: readonly Check[], paint: Paint): string {
  const count = (ok: boolean | null): number => checks.filter((check) => check.ok === ok).length;
  const unseen = checks.filter(({ id, ok }) => ok === null && LAYERS.has(id)).map(({ what }) => what);
  const unjudged = unseen.length === 0 ? '' : `; a layer was not judged: ${unseen.join(', ')}`;
  const rest = `${plural(count(true), 'check')} ok, ${count(null)} left out${unjudged}`;
  if (verdictOf(checks) === 'ok') return `${paint('green', 'ok')}: ${rest}`;
  return `${paint('red', 'NOT OK')}: ${count(false)} of them; ${rest}`;
}
