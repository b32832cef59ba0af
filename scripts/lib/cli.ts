/** What every command in scripts/ shares: flags, exit codes, colours. */
import { Chalk } from 'chalk';

export { atEnd, command, exitWith, main } from '../../client/scripts/lib/command.ts';
export { EXIT, Fault, messageOf } from '../../client/scripts/lib/fault.ts';

/** Colours for standard output; none where NO_COLOR is set, none in a pipe. */
export const paint = new Chalk(process.env.NO_COLOR ? { level: 0 } : {});
