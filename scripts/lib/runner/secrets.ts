/** What nobody may read on a screen or in a log. */

const HIDDEN = '(hidden)';

/** Texts that this process knows to be secret. */
const known = new Set<string>();

/** From now on this text is hidden wherever {@link hideSecrets} is asked. Too short a text would hide ordinary words. */
export function keepSecret(text: string | undefined): void {
  if (text !== undefined && text.length >= 4) known.add(text);
}

/** A value in quotes, blanks and all, or a word. */
const VALUE = String.raw`("(?:[^"\\]|\\.)*"|'[^']*'|[^\s#]+)`;

const NAME = '(?:pass|password|passphrase|token)';

/** `name=value`; and of JSON and YAML `"name": value`, where a word before a colon is a variable's name and no prose. */
const NAMED = new RegExp(String.raw`(${NAME}=|${NAME}["']\s*:\s*|ansible_\w*${NAME}\s*:\s+)${VALUE}`, 'gi');

/** Keeps what closes a JSON object behind a value without quotes. */
const hidden = (_: string, name: string, value: string): string =>
  `${name}${HIDDEN}${/^["']/.test(value) ? '' : (/[,}\]'"]*$/.exec(value)?.[0] ?? '')}`;

/** The line of a WireGuard file (in a diff, too) that is a key, to its end: what stands there in a key's place may have blanks. */
const FILE_LINE = /^([-+ ]?[ \t]*(?:private|preshared)key = ).+$/gim;

/** A text without secrets: known ones, and what a WireGuard file or Ansible's variables call one. */
export function hideSecrets(text: string): string {
  const named = text
    .replace(FILE_LINE, `$1${HIDDEN}`)
    .replace(/((?:private|preshared)[-_]?key\s*=\s*)[^\s#]+/gi, `$1${HIDDEN}`)
    .replace(NAMED, hidden);
  return [...known].reduce((so, secret) => so.replaceAll(secret, HIDDEN), named);
}

/** The same for what a failed program said, which may repeat a key without calling it one. */
export const hideKeys = (text: string): string =>
  hideSecrets(text).replace(
    /(?<![A-Za-z0-9+/])[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=(?!=)/g,
    '(a key, hidden)',
  );

/** What a WireGuard file calls a peer's public key, and the answers of a key pair's task: `600:root KEY`, `KEY`. */
const PUBLIC = /^\s*PublicKey\s*=\s*[A-Za-z0-9+/]{43}=/i;
const ANSWER = /^(?:\d{3,4}:\S+ )?[A-Za-z0-9+/]{43}=$/;

/**
 * The same for what a file holds or a host answers: somebody may have written a key into any line by hand, and only
 * public ones are shown. `answersPublic`: lines that are nothing but a key are public ones.
 */
export const withoutKeys = (text: string, answersPublic = false): string =>
  hideSecrets(text)
    .split('\n')
    .map((line) => {
      if (answersPublic && ANSWER.test(line)) return line;
      const shown = PUBLIC.exec(line)?.[0] ?? '';
      return shown + line.slice(shown.length).replace(/[A-Za-z0-9+/]{43}=/g, HIDDEN);
    })
    .join('\n');
