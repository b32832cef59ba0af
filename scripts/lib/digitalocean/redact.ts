/** Texts of a server on their way into a message: nothing that steers a terminal, never the token. */

/** Tokens of DigitalOcean's, also where a server repeats only a part of one. */
const TOKENS = /\bdo[a-z]_v1_[0-9a-z]*/gi;

/** A private key, and all that follows where its end is cut off: a server may repeat what it was sent. */
const PRIVATE = /-----BEGIN [A-Z ]*PRIVATE KEY-----(?:(?!-----END)[\s\S])*(?:-----END [A-Z ]*-----)?/g;

const HIDDEN = '[redacted]';

/** Makes every text free of the secret (also in its URL form) and of control characters. */
export type Redact = (text: string) => string;

export function redactor(secret: string): Redact {
  const forms = [secret, encodeURIComponent(secret)].filter((form) => form !== '');
  const escaped = forms.map((form) => form.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&'));
  const pattern = new RegExp(escaped.join('|') || '(?!)', 'gi');
  return (text) =>
    text
      .replace(/\p{C}+/gu, ' ')
      .replace(PRIVATE, HIDDEN)
      .replace(pattern, HIDDEN)
      .replace(TOKENS, HIDDEN);
}

/** At most so many characters, on one line. */
export function clip(text: string, most: number): string {
  const line = text.replace(/\s+/g, ' ').trim();
  return line.length > most ? `${line.slice(0, most - 1)}…` : line;
}
