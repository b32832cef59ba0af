import { paint } from '../cli.ts';
import type { HostResult } from './play.ts';
import type { Diff } from './task.ts';

const indent = (text: string): string => text.replaceAll('\n', '\n      ');

/** The lines that tell of one host: what was changed, with `differ` as it was and is, and why it failed where it did. */
export function hostLines(
  name: string,
  result: HostResult<unknown>,
  check: boolean,
  differ: (diff: Diff) => string[] = () => [],
): string[] {
  const trouble = result.unreachable ?? result.failed;
  if (trouble !== undefined) {
    const kind = result.unreachable === undefined ? 'failed' : 'unreachable';
    const next = trouble.next === undefined ? [] : [`      next: ${trouble.next}`];
    const made = (result.made ?? []).map(
      ({ task, change }) => `${paint.yellow('changed:')} [${name}] ${task}: ${change.line}`,
    );
    return [...made, `${paint.red(`${kind}:`)} [${name}] ${indent(trouble.message)}`, ...next];
  }
  const lines = result.outcome.tasks.flatMap((task) => [
    ...(task.notices ?? []).map((notice) => `${paint.cyan('notice:')} [${name}] ${indent(notice)}`),
    ...task.changed.flatMap(({ line, diff }) => [
      `${paint.yellow(check ? 'would change:' : 'changed:')} [${name}] ${task.name}: ${line}`,
      ...(diff === undefined ? [] : differ(diff)),
    ]),
    ...(task.failed === undefined
      ? []
      : [`${paint.red('failed:')} [${name}] ${task.name}: ${indent(task.failed)}`]),
  ]);
  const isQuiet = result.outcome.tasks.every(
    (task) => task.changed.length === 0 && task.failed === undefined,
  );
  return isQuiet ? [...lines, `${paint.green('ok:')} [${name}] nothing to change`] : lines;
}

/** A host's counts, as ansible-playbook's recap gives them: ok includes changed. */
export function countsOf({ outcome, unreachable, failed }: HostResult<unknown>): Record<string, number> {
  const good = outcome.tasks.filter((task) => task.failed === undefined);
  return {
    ok: good.length,
    changed: good.filter((task) => task.changed.length > 0).length,
    unreachable: unreachable === undefined ? 0 : 1,
    failed: (failed === undefined ? 0 : 1) + (outcome.tasks.length - good.length),
  };
}

/** The closing table, a line a host. */
export function countLines(rows: readonly { name: string; counts: Record<string, number> }[]): string[] {
  const width = Math.max(...rows.map(({ name }) => name.length));
  return rows.map(({ name, counts }) => {
    const colour =
      counts.failed || counts.unreachable ? paint.red : counts.changed ? paint.yellow : paint.green;
    const fields = Object.entries(counts).map(([key, count]) => `${key}=${count}`.padEnd(key.length + 4));
    return `${colour(name.padEnd(width))} : ${fields.join(' ').trimEnd()}`;
  });
}

/** The closing table of a play. */
export const recapLines = (results: readonly { name: string; result: HostResult<unknown> }[]): string[] =>
  countLines(results.map(({ name, result }) => ({ name, counts: countsOf(result) })));
