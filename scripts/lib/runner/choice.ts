/** Which tasks of a play are wanted: by tag, by where to start. */
import { Fault } from '../cli.ts';
import { nearest } from '../text.ts';

/** A task as far as choosing goes. */
export interface Choosable {
  name: string;
  tags?: readonly string[];
}

export interface ChoiceFlags {
  /** Only tasks with one of these tags; all where there are none. */
  tags?: readonly string[] | undefined;
  skipTags?: readonly string[] | undefined;
  /** The first task to be done, by name. */
  startAtTask?: string | undefined;
}

/** Whether a task is to be done; its probe goes out in any case, as others may need what it says. */
export type Choice = (task: Choosable) => boolean;

/** Each word once, as people write lists: `a,b` or the flag several times. */
export const wordsIn = (given: readonly string[] | undefined): string[] =>
  [...new Set((given ?? []).flatMap((text) => text.split(',')).map((word) => word.trim()))].filter(
    (word) => word !== '',
  );

/** All tags, in the order in which the tasks have them. */
export const tagsOf = (tasks: readonly Choosable[]): string[] => [
  ...new Set(tasks.flatMap(({ tags }) => tags ?? [])),
];

/** One list of tasks for hosts that differ: the longest, with what others have besides put behind their neighbour. */
export function unionOf(lists: readonly (readonly Choosable[])[]): Choosable[] {
  const [longest = [], ...rest] = [...lists].sort((a, b) => b.length - a.length);
  const all = [...longest];
  for (const list of rest)
    for (const [i, task] of list.entries()) {
      if (all.some(({ name }) => name === task.name)) continue;
      all.splice(all.findIndex(({ name }) => name === list[i - 1]?.name) + 1, 0, task);
    }
  return all;
}

/** The nearest first, where one is near. */
function listed(word: string, known: readonly string[]): string {
  const meant = nearest(word, known);
  return [...(meant === undefined ? [] : [meant]), ...known.filter((one) => one !== meant)].join(', ');
}

function refuseUnknown(flag: string, kind: string, words: readonly string[], known: readonly string[]): void {
  for (const word of words)
    if (!known.includes(word))
      throw new Fault({
        at: `${flag} ${word}`,
        what: `no task has this ${kind}; there are: ${listed(word, known)}`,
        next: 'take one of these',
      });
}

/** What the flags choose of these tasks, in their order; a word that no task knows is refused. */
export function choiceOf(tasks: readonly Choosable[], flags: ChoiceFlags): Choice {
  // As in Ansible, `all` is every task's tag.
  const [tags, skip] = [flags.tags, flags.skipTags].map(wordsIn) as [string[], string[]];
  const known = [...tagsOf(tasks), 'all'];
  for (const [flag, given, words] of [
    ['--tags', flags.tags, tags],
    ['--skip-tags', flags.skipTags, skip],
  ] as const)
    if (given !== undefined && given.length > 0 && words.length === 0)
      throw new Fault({ at: flag, what: 'names no tag', next: `there are: ${known.join(', ')}` });
  refuseUnknown('--tags', 'tag', tags, known);
  refuseUnknown('--skip-tags', 'tag', skip, known);
  const names = tasks.map(({ name }) => name);
  const start = flags.startAtTask;
  if (start !== undefined) refuseUnknown('--start-at-task', 'name', [start], names);
  const first = start === undefined ? 0 : names.indexOf(start);
  return (task) => {
    const has = (words: readonly string[]): boolean =>
      words.includes('all') || words.some((word) => task.tags?.includes(word));
    return names.indexOf(task.name) >= first && (tags.length === 0 || has(tags)) && !has(skip);
  };
}
