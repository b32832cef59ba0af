/** Commands to type next, as they lead to where this one runs. */
import { quoteAll } from '../shell.ts';

/** Inside a lab: what leads into its controller, `npx zx scripts/lab.ts exec --`, set by `lab.ts exec`. */
const labExec = (): string | undefined => process.env.COMPS_LAB_EXEC;

/** A command of this project, typed from outside where this one runs in a lab. */
export function commandHint(words: readonly string[]): string {
  const exec = labExec();
  return exec === undefined ? quoteAll(words) : `${exec} ${quoteAll(words)}`;
}

/** In a lab: how its client takes new files; undefined elsewhere. */
export function labClientHint(): string | undefined {
  const exec = labExec();
  return exec === undefined ? undefined : `${exec.replace(/ --$/, '')} client -- /etc/wireguard/setup.sh`;
}
