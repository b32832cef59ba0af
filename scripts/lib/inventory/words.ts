/** What shlex takes for space; a no-break space is a part of a word. */
const SPACE = /[ \t\r\n]/;

/** A word of a line: its text without quotes and backslashes, and where it stands, quotes and all (`end` is behind it). */
export interface Word {
  text: string;
  start: number;
  end: number;
}

/**
 * Splits a host line as Python's shlex does for Ansible: quotes, backslashes, and `#` outside of quotes
 * begins a comment, where there are `comments`. A RangeError says what is not closed.
 */
export function wordsOf(line: string, comments = true): Word[] {
  const words: Word[] = [];
  let word: Word | undefined;
  const add = (text: string, start: number, end: number): void => {
    word = { text: (word?.text ?? '') + text, start: word?.start ?? start, end };
  };
  for (let i = 0; i < line.length; i++) {
    const c = line[i] as string;
    if (SPACE.test(c)) {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else if (c === '#' && comments) break;
    else if (c === '\\') {
      if (i + 1 >= line.length) throw new RangeError('the line ends in a backslash');
      add(line[i + 1] as string, i, i + 2);
      i++;
    } else if (c === '"' || c === "'") {
      const { text, end } = quoted(line, i);
      add(text, i, end + 1);
      i = end;
    } else add(c, i, i + 1);
  }
  return word === undefined ? words : [...words, word];
}

/** The words of a host line, without where they stand. */
export const splitWords = (line: string, comments = true): string[] =>
  wordsOf(line, comments).map(({ text }) => text);

/** The text in the quotes that open at `start`, and where they close. In double quotes `\"` and `\\` are escapes. */
function quoted(line: string, start: number): { text: string; end: number } {
  const quote = line[start] as string;
  let text = '';
  for (let i = start + 1; i < line.length; i++) {
    const c = line[i] as string;
    if (c === quote) return { text, end: i };
    const next = line[i + 1];
    if (c === '\\' && quote === '"' && (next === '"' || next === '\\')) {
      text += next;
      i++;
    } else text += c;
  }
  throw new RangeError(`a ${quote} is opened and not closed`);
}
