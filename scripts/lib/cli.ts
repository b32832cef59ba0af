/** What every command in scripts/ shares: flags, exit codes, colours. */
import { Chalk } from 'chalk';
import { InvalidArgumentError } from 'commander';

export { atEnd, command, exitWith, main, userArguments } from '../../client/scripts/lib/command.ts';
export { EXIT, Fault, messageOf } from '../../client/scripts/lib/fault.ts';

/** Colours for standard output; none where NO_COLOR is set, none in a pipe. */
export const paint = new Chalk(process.env.NO_COLOR ? { level: 0 } : {});

/** Reads a flag's value as a number above 0. */
export function positive(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !Number.isFinite(value) || value <= 0)
    throw new InvalidArgumentError('A number above 0 is expected.');
  return value;
}
