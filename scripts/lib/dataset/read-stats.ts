/** Reads what the statistics are made of. */
import { join } from 'node:path';
import { FILE } from '../../../client/scripts/lib/trace/layout.ts';
import type { VisitFacts } from '../../../client/scripts/lib/trace/record.ts';
import { exists, readText } from '../files.ts';
import { readSummary } from '../trace-schema.ts';
import { attemptsOf, recordsIn, type Source } from './source.ts';
import { type AttemptNumbers, type SiteStats, statsOf } from './stats.ts';
import { attemptId, Visits } from './visits.ts';

function numbersOf(facts: VisitFacts, switches: number): AttemptNumbers {
  const { run, visit, attempt, url, status, failure, navigated, loaded } = facts;
  return {
    ...{ run, visit, attempt, url, switches, paths: [] },
    ...{ success: status === 'success', failure: failure?.kind ?? status },
    load: navigated === null || loaded === null ? null : loaded - navigated,
  };
}

type Tell = (at: string, what: string) => void;

/** Of a run's folder visit.json has all; the records, which are large, stay unread. */
function readRun(
  source: Source & { kind: 'run' },
  add: (id: string, numbers: AttemptNumbers) => void,
  tell: Tell,
) {
  for (const { folder } of attemptsOf(source.path).attempts) {
    const file = join(folder, FILE.summary);
    const read = exists(file) ? readSummary(readText(file)) : { problem: 'missing' };
    if ('problem' in read) tell(file, read.problem);
    else {
      const { paths, switch_count } = read.value;
      add(attemptId(read.value), { ...numbersOf(read.value, switch_count), paths });
    }
  }
}

/** The sites of the sources by first appearance, and all of them together. */
export async function readStats(
  sources: readonly Source[],
  tell: Tell,
): Promise<{ sites: SiteStats[]; overall: SiteStats }> {
  const visits = new Visits<AttemptNumbers>();
  const attempts = new Map<string, AttemptNumbers>();
  const add = (id: string, numbers: AttemptNumbers): AttemptNumbers => {
    const known = attempts.get(id);
    if (known !== undefined) return known;
    attempts.set(id, numbers);
    visits.add(numbers);
    return numbers;
  };
  for (const source of sources) {
    if (source.kind === 'run') {
      readRun(source, add, tell);
      continue;
    }
    for await (const item of recordsIn(source.path)) {
      if ('problem' in item) {
        tell(item.at, item.problem);
        continue;
      }
      const { record } = item;
      const changes = record.switches.filter(({ from, path }) => from !== null && from !== path).length;
      const numbers = add(attemptId(record), numbersOf(record, changes));
      const { interface: name, packets_out, packets_in, bytes_out, bytes_in } = record;
      if (!numbers.paths.some((path) => path.interface === name))
        numbers.paths.push({ interface: name, packets_out, packets_in, bytes_out, bytes_in });
    }
  }
  const all = [...visits.all()];
  const byUrl = new Map<string, (readonly AttemptNumbers[])[]>();
  for (const chain of all) {
    const { url } = chain[0] as AttemptNumbers;
    const chains = byUrl.get(url);
    if (chains === undefined) byUrl.set(url, [chain]);
    else chains.push(chain);
  }
  return {
    sites: [...byUrl].map(([url, chains]) => statsOf(url, chains)),
    overall: statsOf('overall', all),
  };
}
