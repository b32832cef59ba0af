/** Commands to type next, as they lead to where this one runs. */
import { quoteAll } from '../shell.ts';
import { type ModeFlags, modeWords } from './mode-flags.ts';

/** Inside a lab: what leads into its controller, `npx zx scripts/lab.ts exec --`, set by `lab.ts exec`. */
const labExec = (): string | undefined => process.env.COMPS_LAB_EXEC;

/** A command of this project, typed from outside where this one runs in a lab. */
export function commandHint(words: readonly string[]): string {
  const exec = labExec();
  return exec === undefined ? quoteAll(words) : `${exec} ${quoteAll(words)}`;
}

/** Where a command finds its files. */
export interface PlaceFlags extends ModeFlags {
  inventory: string;
  config: string;
  out?: string;
}

/** Those flags as words of a command line, without what is usual. */
export function placeWords({ inventory, config, out, ...mode }: PlaceFlags): string[] {
  const flag = (letter: string, value: string, usual: string): string[] =>
    value === usual ? [] : [letter, value];
  return [
    ...flag('-i', inventory, 'hosts.ini'),
    ...flag('-c', config, 'config.cfg'),
    ...(out === undefined ? [] : flag('-o', out, 'client/generated')),
    ...modeWords(mode),
  ];
}

/** A command of this project with the same files as this one, and in another mode where one is given. */
export const sameFilesHint = (script: string, options: PlaceFlags, mode: ModeFlags = {}): string =>
  commandHint(['npx', 'zx', `scripts/${script}.ts`, ...placeWords({ ...options, ...mode })]);

/** In a lab: how its client takes new files; undefined elsewhere. */
export function labClientHint(): string | undefined {
  const exec = labExec();
  return exec === undefined ? undefined : `${exec.replace(/ --$/, '')} client -- /etc/wireguard/setup.sh`;
}
