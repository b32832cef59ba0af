/** Patterns of ssh_config(5): `*`, `?`, and `!` in front of a whole one. */

const escaped = (text: string): string => text.replace(/[.+^${}()|[\]\\]/g, '\\$&');

/** Whether `192.0.2.*` or `web?` is all of this text. */
export const globMatches = (pattern: string, text: string): boolean =>
  new RegExp(`^${escaped(pattern).replaceAll('*', '.*').replaceAll('?', '.')}$`, 's').test(text);

/** Whether one of the patterns matches, and none with a `!` does. */
export function patternsMatch(patterns: readonly string[], text: string): boolean {
  const negated = patterns.some((one) => one.startsWith('!') && globMatches(one.slice(1), text));
  return !negated && patterns.some((one) => !one.startsWith('!') && globMatches(one, text));
}
