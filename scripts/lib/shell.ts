/**
 * One word for a POSIX shell, whatever it holds: `it's` becomes `'it'\''s'`.
 * Words that need no quoting stay as they are, so that printed commands read well.
 */
export function quote(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}

/** Words as one shell command. */
export const quoteAll = (words: readonly string[]): string => words.map(quote).join(' ');
