/** What every command in scripts/ shares: flags, exit codes, colours. */
import { Chalk } from 'chalk';
import { InvalidArgumentError } from 'commander';

export {
  atEnd,
  command,
  exitWith,
  main,
  takeSignal,
  userArguments,
} from '../../client/scripts/lib/command.ts';
export { EXIT, Fault, type FaultParts, messageOf } from '../../client/scripts/lib/fault.ts';

/** Colours for standard output; none where NO_COLOR is set, none in a pipe. */
export const paint = new Chalk(process.env.NO_COLOR ? { level: 0 } : {});

/** Reads a flag's value as seconds: above 0, an hour at most. */
export function duration(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !(value > 0 && value <= 3600))
    throw new InvalidArgumentError('A number above 0, of 3600 at most, is expected.');
  return value;
}
