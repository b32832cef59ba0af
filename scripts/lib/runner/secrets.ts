/** What nobody may read on a screen or in a log. */

const HIDDEN = '(hidden)';

/** Texts that this process knows to be secret. */
const known = new Set<string>();

/** From now on this text is hidden wherever {@link hideSecrets} is asked. Too short a text would hide ordinary words. */
export function keepSecret(text: string | undefined): void {
  if (text !== undefined && text.length >= 4) known.add(text);
}

/** A text without secrets: known ones, and what a WireGuard file or Ansible's variables call one. */
export function hideSecrets(text: string): string {
  const named = text
    .replace(/((?:private|preshared)[-_]?key\s*=\s*)[^\s#]+/gi, `$1${HIDDEN}`)
    .replace(/((?:pass|password|passphrase|token)=)[^\s#]+/gi, `$1${HIDDEN}`);
  return [...known].reduce((so, secret) => so.replaceAll(secret, HIDDEN), named);
}

/** The same for what a failed program said, which may repeat a key without calling it one. */
export const hideKeys = (text: string): string =>
  hideSecrets(text).replace(
    /(?<![A-Za-z0-9+/])[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=(?!=)/g,
    '(a key, hidden)',
  );
