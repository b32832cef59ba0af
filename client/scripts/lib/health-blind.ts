/** What can be told of paths while `wg` is missing. Pure. */
import { judge, type PathHealth, type Sample } from './health.ts';

/**
 * The state of each path after a look without `wg`, from the state before it: one whose interface is gone is left out;
 * any other stays what it was, so that `wg` goes on from there once it is back.
 */
export function judgeBlind(
  before: readonly PathHealth[],
  names: readonly string[],
  sample: Sample,
): PathHealth[] {
  const links = judge([], names, {
    ...sample,
    seen: new Map(names.map((name) => [name, { up: sample.seen.get(name)?.up ?? false, wg: undefined }])),
  });
  return links.map((now, i) => {
    const was = before[i];
    return now.out === 'gone' || was === undefined || was.out === 'gone' ? now : was;
  });
}
