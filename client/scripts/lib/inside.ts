import { hostname } from 'node:os';
import { exists } from './folders.ts';

/** As Docker names a machine. */
const IS_NUMBER = /^[0-9a-f]{12}$/;

/** As {@link inside}; `container`: the one that this program runs in, if any. */
export const insideWords = (command: string, container: string | undefined): string =>
  container === undefined ? command : `docker exec ${container} ${command}`;

/**
 * A command about this program's own processes or files, for a person who may be outside of its container, where the same
 * number is another process. Inside, a container's name is known by its host name: the first part of its number, unless
 * somebody has given it another; then the command is told as it is.
 */
export const inside = (command: string): string =>
  insideWords(command, exists('/.dockerenv') && IS_NUMBER.test(hostname()) ? hostname() : undefined);
