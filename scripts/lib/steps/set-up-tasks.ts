/** Which tasks a set-up has, before any host is connected to: for `--list-*`, `--tags` and `--start-at-task`. */
import { type Choice, type Choosable, choiceOf, tagsOf, unionOf } from '../runner/choice.ts';
import { tunnelsOf } from '../wireguard/topology.ts';
import type { PlayFlags } from './set-up-flags.ts';
import type { Input } from './set-up-input.ts';
import type { ListsDocument } from './set-up-json.ts';
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
  const lists = tunnelsOf(topology).map((tunnel) => serverTasksFor(tunnel, undefined, config));
  return [...unionOf(lists), CLIENT];
}

/** What the flags choose of them; undefined where no flag does. */
export const chosenTasks = (input: Input, flags: PlayFlags): Choice | undefined =>
  [...(flags.tags ?? []), ...(flags.skipTags ?? [])].length === 0 && flags.startAtTask === undefined
    ? undefined
    : choiceOf(tasksOf(input), flags);

/** The lists that were asked for; undefined where none was. */
export function listsOf(input: Input, flags: PlayFlags): ListsDocument | undefined {
  const { listHosts, listTasks, listTags } = flags;
  if (!listHosts && !listTasks && !listTags) return undefined;
  const all = tasksOf(input);
  const tasks = all.filter(choiceOf(all, flags));
  const names = input.hosts.map(({ name }) => name).filter((name) => input.chosen.has(name));
  return {
    hosts: listHosts ? names : null,
    tasks: listTasks ? tasks.map(({ name, tags = [] }) => ({ name, tags: [...tags] })) : null,
    tags: listTags ? tagsOf(tasks) : null,
  };
}

/** The same for a person. */
export const listLines = ({ hosts, tasks, tags }: ListsDocument): string[] => [
  ...(hosts === null ? [] : [`hosts (${hosts.length}):`, ...hosts.map((name) => `  ${name}`)]),
  ...(tasks === null
    ? []
    : ['tasks:', ...tasks.map((task) => `  ${task.name}  TAGS: [${task.tags.join(', ')}]`)]),
  ...(tags === null ? [] : ['tags:', ...tags.map((tag) => `  ${tag}`)]),
];
