/** Which tasks a set-up has, before any host is connected to: for `--list-*`, `--tags` and `--start-at-task`. */
import { type Choice, type Choosable, choiceOf, tagsOf, unionOf } from '../runner/choice.ts';
import type { PlayFlags } from './set-up-flags.ts';
import type { Input } from './set-up-input.ts';
import { planTopology, serverTasksFor } from './set-up-servers.ts';

/** Writing the client's files counts as the last task. */
export const CLIENT: Choosable = { name: 'client files', tags: ['client'] };

/** All tasks of all servers in order, then the client's. */
export function tasksOf({ config, hosts }: Input): Choosable[] {
  const topology = planTopology(
    config,
    hosts,
    hosts.map(({ address }) => address),
  );
  const lists = [...topology.paths, topology.comp].map((tunnel) => serverTasksFor(tunnel, undefined, config));
  return [...unionOf(lists), CLIENT];
}

/** What the flags choose of them; undefined where no flag does. */
export const chosenTasks = (input: Input, flags: PlayFlags): Choice | undefined =>
  [...(flags.tags ?? []), ...(flags.skipTags ?? [])].length === 0 && flags.startAtTask === undefined
    ? undefined
    : choiceOf(tasksOf(input), flags);

/** The lists that were asked for; undefined where none was. */
export function listLines(input: Input, flags: PlayFlags): string[] | undefined {
  const { listHosts, listTasks, listTags } = flags;
  if (!listHosts && !listTasks && !listTags) return undefined;
  const lines: string[] = [];
  if (listHosts) {
    const names = input.hosts.map(({ name }) => name).filter((name) => input.chosen.has(name));
    lines.push(`hosts (${names.length}):`, ...names.map((name) => `  ${name}`));
  }
  const tasks = tasksOf(input);
  const choice = choiceOf(tasks, flags);
  if (listTasks)
    lines.push(
      'tasks:',
      ...tasks.filter(choice).map(({ name, tags }) => `  ${name}  TAGS: [${tags?.join(', ') ?? ''}]`),
    );
  if (listTags) lines.push('tags:', ...tagsOf(tasks.filter(choice)).map((tag) => `  ${tag}`));
  return lines;
}
