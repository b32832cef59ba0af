/** hosts.ini as rows that can be changed one at a time: whatever is not touched stays as it is, to the byte. */
import { readPattern } from './pattern.ts';
import { headerOf, isComment } from './read.ts';
import { readValue } from './value.ts';
import { type Word, wordsOf } from './words.ts';

export interface Row {
  /** The line without its end. */
  text: string;
  /** `\n`, `\r\n` or `\r`; '' for a last line without one. */
  end: string;
  /** `setting`: a line below `[group:vars]` or `[group:children]`. */
  kind: 'blank' | 'comment' | 'header' | 'host' | 'setting';
  /** The group whose hosts stand in this section; undefined in one of another kind. */
  group: string | undefined;
  /** The hosts that a host line is of. */
  names: readonly string[];
  /** Not in the file as it was read. */
  added: boolean;
}

export interface Rows {
  /** A byte-order mark, or ''. */
  mark: string;
  rows: Row[];
}

const MARK = '\uFEFF';

/** The rows of a text that the inventory's reader takes; it refuses what is none. */
export function rowsOf(text: string): Rows {
  const mark = text.startsWith(MARK) ? MARK : '';
  let group: string | undefined = 'ungrouped';
  const rows = (text.slice(mark.length).match(/[^\r\n]*(?:\r\n|\n|\r)|[^\r\n]+$/g) ?? []).map((line): Row => {
    const end = /[\r\n]*$/.exec(line)?.[0] ?? '';
    const row = { text: line.slice(0, line.length - end.length), end, names: [], added: false };
    const bare = row.text.trim();
    if (bare === '') return { ...row, kind: 'blank', group };
    if (isComment(bare)) return { ...row, kind: 'comment', group };
    const header = headerOf(bare);
    if (header !== undefined) {
      group = header.kind === 'hosts' ? header.group : undefined;
      return { ...row, kind: 'header', group };
    }
    if (group === undefined) return { ...row, kind: 'setting', group };
    return { ...row, kind: 'host', group, names: readPattern(splitRow(row.text)[0]?.text ?? '').names };
  });
  return { mark, rows };
}

export const textOf = ({ mark, rows }: Rows): string =>
  mark + rows.map(({ text, end }) => text + end).join('');

/** Whether a row is the line of this one host, and of no pattern's other hosts. */
export const isRowOf = ({ names }: Row, name: string): boolean => names.length === 1 && names[0] === name;

/** As the reader does it: a space behind a last backslash is none of the line's. */
const splitRow = (text: string): Word[] => wordsOf(text.trimEnd());

const ADDRESS = /^(ansible_(?:ssh_)?host)=/;

const addressWords = (text: string): Word[] =>
  splitRow(text)
    .slice(1)
    .filter((word) => ADDRESS.test(word.text));

export const hasAddress = ({ text }: Row): boolean => addressWords(text).length > 0;

/** A host line with this address: every address on it is changed, or one put behind the name. */
export function withAddress(text: string, address: string): string {
  const words = addressWords(text);
  if (words.length === 0) {
    const end = splitRow(text)[0]?.end ?? 0;
    return `${text.slice(0, end)} ansible_host=${address}${text.slice(end)}`;
  }
  return words.reduceRight((line, { text: word, start, end }) => {
    const key = ADDRESS.exec(word)?.[1] ?? '';
    if (readValue(word.slice(key.length + 1)) === address) return line;
    // The usual places of quotes stay; a value written otherwise is written anew.
    const raw = line.slice(start, end);
    const quote = /^(["']?)[^"'\\]*\1$/.exec(raw.slice(key.length + 1))?.[1];
    const around = /^(["'])[^"'\\]*\1$/.exec(raw)?.[1];
    const fresh =
      around !== undefined
        ? `${around}${key}=${address}${around}`
        : `${key}=${quote ?? ''}${address}${quote ?? ''}`;
    return line.slice(0, start) + fresh + line.slice(end);
  }, text);
}
