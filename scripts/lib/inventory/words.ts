const SPACE = /\s/;

/**
 * Splits a host line as Python's shlex does for Ansible: quotes, backslashes, and `#` outside of quotes
 * begins a comment. A RangeError says what is not closed.
 */
export function splitWords(line: string): string[] {
  const words: string[] = [];
  let word: string | undefined;
  for (let i = 0; i < line.length; i++) {
    const c = line[i] as string;
    if (SPACE.test(c)) {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else if (c === '#') break;
    else if (c === '\\') {
      if (++i >= line.length) throw new RangeError('the line ends in a backslash');
      word = (word ?? '') + line[i];
    } else if (c === '"' || c === "'") {
      const { text, end } = quoted(line, i);
      word = (word ?? '') + text;
      i = end;
    } else word = (word ?? '') + c;
  }
  return word === undefined ? words : [...words, word];
}

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
