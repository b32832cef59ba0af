import { Fault } from './fault.ts';

/** The refusal of a flag's value: which flag, which value, what is expected. */
export function badFlag(flag: string, value: string, expected: string): Fault {
  return new Fault({ at: flag, what: `${JSON.stringify(value)} is not ${expected}` });
}

interface Range {
  min: number;
  max: number;
  /** Said after "a number" or "a whole number", as in "of seconds". */
  of?: string;
}

/** Reader of a flag's decimal number; throws a Fault outside the range. */
export function decimal(flag: string, { min, max, of = '' }: Range): (value: string) => number {
  return (value) => {
    const number = /^\d*\.?\d+(e-?\d+)?$/i.test(value.trim()) ? Number(value) : Number.NaN;
    if (number >= min && number <= max) return number;
    throw badFlag(flag, value, `a number${of && ` ${of}`} from ${min} to ${max}`);
  };
}

/** Reader of a flag's whole number; throws a Fault outside the range. */
export function whole(flag: string, { min, max, of = '' }: Range): (value: string) => number {
  return (value) => {
    const number = /^\d+$/.test(value.trim()) ? Number(value) : Number.NaN;
    if (number >= min && number <= max) return number;
    throw badFlag(flag, value, `a whole number${of && ` ${of}`} from ${min} to ${max}`);
  };
}
