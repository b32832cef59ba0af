/** What `--diff` shows of a change: unified lines, without any secret. */
import { createTwoFilesPatch } from 'diff';
import { paint } from '../cli.ts';
import { hideSecrets } from './secrets.ts';
import type { Diff } from './task.ts';

const colour = (line: string): string => {
  if (/^(?:---|\+\+\+) /.test(line)) return paint.bold(line);
  if (line.startsWith('@@')) return paint.cyan(line);
  if (line.startsWith('+')) return paint.green(line);
  return line.startsWith('-') ? paint.red(line) : line;
};

/** A unified diff as text, with its two names and three lines around each change; '' where nothing differs. */
export function unified({ path, before, after }: Diff): string {
  if (before === after) return '';
  const [old, now] = [hideSecrets(before), hideSecrets(after)];
  const names: [string, string] = [
    before === '' ? '(none)' : `before: ${path}`,
    after === '' ? '(none)' : `after: ${path}`,
  ];
  if (old === now) return `--- ${names[0]}\n+++ ${names[1]}\n only what is hidden here differs\n`;
  const patch = createTwoFilesPatch(...names, old, now, undefined, undefined, { context: 3 });
  return patch.replace(/^=+\n/, '');
}

/** The same as lines for a terminal. */
export const diffLines = (diff: Diff): string[] =>
  unified(diff)
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => `  ${colour(line)}`);
