/** One line of an ssh_config file -> keyword and words, as readconf.c of OpenSSH splits it. */

export interface ConfigLine {
  /** In small letters: `hostname`. */
  key: string;
  words: string[];
  /** All behind the keyword: a command stands there as it is. */
  rest: string;
  /** `/home/me/.ssh/config:3` */
  at: string;
}

/** Characters that a backslash hides, inside and outside of quotes; a space only outside. */
const hidden = (char: string | undefined, quote: string): boolean =>
  char === "'" || char === '"' || char === '\\' || (char === ' ' && quote === '');

/** Words of the text; quotes of both kinds, `#` at a word's begin ends the line. Undefined where a quote is left open. */
export function splitWords(text: string): string[] | undefined {
  const words: string[] = [];
  let i = 0;
  while (i < text.length) {
    while (text[i] === ' ' || text[i] === '\t') i++;
    if (i >= text.length || text[i] === '#') break;
    let word = '';
    let quote = '';
    for (; i < text.length; i++) {
      const char = text[i] as string;
      if (char === '\\' && hidden(text[i + 1], quote)) word += text[++i];
      else if (quote === '' && (char === ' ' || char === '\t')) break;
      else if (quote === '' && (char === '"' || char === "'")) quote = char;
      else if (char === quote) quote = '';
      else word += char;
    }
    if (quote !== '') return undefined;
    words.push(word);
  }
  return words;
}

/** The lines of a file that say something; `onBroken` gets the place of one with an open quote. */
export function linesOf(text: string, file: string, onBroken: (at: string) => never): ConfigLine[] {
  return text.split('\n').flatMap((line, i) => {
    const match = /^\s*"?([^\s="#]+)"?(?:\s*=\s*|\s+|$)(.*?)\s*$/s.exec(line);
    if (match === null || /^\s*#/.test(line)) return [];
    const [, key = '', rest = ''] = match;
    const at = `${file}:${i + 1}`;
    return [{ key: key.toLowerCase(), words: splitWords(rest) ?? onBroken(at), rest, at }];
  });
}
