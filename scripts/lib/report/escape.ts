/** Texts from hostile web pages come into the report by the two doors here, and by no other. */

/** Text of this project itself (a script, a style sheet), which goes into the page as it is. */
export class Raw {
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  toString(): string {
    return this.#text;
  }
}

const ENTITIES: Record<string, string> = {
  ...{ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;', '`': '&#96;' },
};

/** Control characters, and those that turn the direction of the text around them. */
const UNSEEN = /[\p{Cc}\u200e\u200f\u202a-\u202e\u2066-\u2069\u2028\u2029]+/gu;

/** For an element's text or an attribute in quotes. */
const escapeText = (text: string): string =>
  text.replace(UNSEEN, ' ').replace(/[&<>"'`]/g, (character) => ENTITIES[character] as string);

/** A template's view with every string in it escaped; a {@link Raw} stays. */
export function escaped(view: unknown): unknown {
  if (typeof view === 'string') return escapeText(view);
  if (Array.isArray(view)) return view.map(escaped);
  if (view === null || typeof view !== 'object' || view instanceof Raw) return view;
  return Object.fromEntries(Object.entries(view).map(([key, value]) => [key, escaped(value)]));
}

/** JSON that can stand in a script element: it holds no `<`. */
export const scriptJson = (value: unknown): string => JSON.stringify(value).replace(/</g, '\\u003c');

/** The longest text of a page that is repeated. */
const LONGEST = 300;

export const clip = (text: string): string =>
  text.length <= LONGEST ? text : `${text.slice(0, LONGEST)}… (${text.length} characters)`;
