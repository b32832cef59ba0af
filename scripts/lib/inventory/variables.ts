/** A host's variables for who asks for one by its names: the first problem is a Fault with the line it stands in. */
import { Fault } from '../cli.ts';
import type { InventoryHost } from './inherit.ts';
import type { Variable } from './read.ts';

export interface Picked extends Variable {
  /** The name that it stands under. */
  key: string;
}

/** Refuses a variable, or the host itself by its line; never with the value of a secret in `what`. */
export type Refuse = (at: Variable | number, what: string, next: string) => never;

export interface Variables {
  refuse: Refuse;
  /** The variable under the first of its names; one under another may stand beside it if it says the same. */
  pick(...keys: string[]): Picked | undefined;
}

const TRUE = /^(?:y|yes|on|t|true|1|1\.0)$/i;
const FALSE = /^(?:n|no|off|f|false|0|0\.0)$/i;

/** A truth value as Ansible takes it; undefined where it is none. */
export const truth = (value: string): boolean | undefined =>
  TRUE.test(value) ? true : FALSE.test(value) ? false : undefined;

export function variablesOf({ name, variables }: InventoryHost, file: string): Variables {
  const refuse: Refuse = (at, what, next) => {
    const place = typeof at === 'number' ? `${file}:${at}` : (at.from ?? `${file}:${at.line}`);
    throw new Fault({ at: place, what: `${name}: ${what}`, next });
  };
  const pick = (...keys: string[]): Picked | undefined => {
    const all = keys.flatMap((key) => {
      const variable = variables.get(key);
      return variable === undefined ? [] : [{ key, ...variable }];
    });
    // The command line's word beats the file's, whichever of the names they use.
    const told = all.filter(({ from }) => from !== undefined);
    const [first, ...others] = told.length > 0 ? told : all;
    if (first === undefined) return undefined;
    const second = others.find(({ value }) => value !== first.value);
    if (second !== undefined)
      refuse(
        second,
        `${second.key} contradicts ${first.key} (${first.from ?? `line ${first.line}`})`,
        'keep one of the two',
      );
    if (first.value.includes('{{'))
      refuse(
        first,
        `${first.key} holds a {{ template }}, which is not evaluated here`,
        'write the value itself',
      );
    return first;
  };
  return { refuse, pick };
}

/** A comment behind a value of a [group:vars] line is a part of it, unless the value is a literal. */
export function refuseComment({ refuse }: Variables, picked: Picked | undefined): void {
  if (picked !== undefined && /\s#/.test(picked.value))
    refuse(
      picked,
      `${picked.key} ends in a comment, which is a part of the value in a [group:vars] section`,
      'put the comment on a line of its own',
    );
}
