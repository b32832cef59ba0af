import { inspect } from 'node:util';
import { Fault } from '../cli.ts';

/** A text that shows itself as `[redacted]` wherever it is printed, joined, inspected or turned into JSON. */
export class Secret {
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  /** The text itself: for the one call that needs it. */
  reveal(): string {
    return this.#text;
  }

  toString(): string {
    return '[redacted]';
  }

  toJSON(): string {
    return '[redacted]';
  }

  [inspect.custom](): string {
    return '[redacted]';
  }
}

/** A value that stands in config.cfg, or the name of the environment variable that holds it (`$DO_TOKEN`). */
export type SecretRef = { env: string } | { value: Secret };

/** Reads `$NAME`, `${NAME}` or the value itself; undefined where a `$` is followed by no name. */
export function secretRef(text: string): SecretRef | undefined {
  if (!text.startsWith('$')) return { value: new Secret(text) };
  const match = /^\$(?:([A-Za-z_]\w*)|\{([A-Za-z_]\w*)\})$/.exec(text);
  const name = match?.[1] ?? match?.[2];
  return name === undefined ? undefined : { env: name };
}

/** The value behind a reference; a Fault naming the environment variable where it is not set. */
export function secretOf(ref: SecretRef, env: Readonly<Record<string, string | undefined>>): Secret {
  if ('value' in ref) return ref.value;
  const text = env[ref.env]?.trim();
  if (text) return new Secret(text);
  throw new Fault({
    at: `$${ref.env}`,
    what: `config.cfg names this environment variable, and it is ${env[ref.env] === undefined ? 'not set' : 'empty'}`,
    next: `export ${ref.env}=…, then run the same command again`,
  });
}
