/** Reads what the statistics are made of. */
import { join } from 'node:path';
import { FILE } from '../../../client/scripts/lib/trace/layout.ts';
import type { VisitFacts } from '../../../client/scripts/lib/trace/record.ts';
import { Fault } from '../cli.ts';
import { troubleOf } from '../files/input.ts';
import { attemptsOf, recordsIn, type Source, summaryIn } from './source.ts';
import { type AttemptNumbers, type SiteStats, statsOf } from './stats.ts';
import { attemptId, Visits } from './visits.ts';

function numbersOf(facts: VisitFacts, switches: number): AttemptNumbers {
  const { run, visit, attempt, url, status, failure, navigated, loaded, mode } = facts;
  return {
    ...{ run, visit, attempt, url, switches, paths: [] },
    ...(mode === 'quic' && { quic: true }),
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
    const read = summaryIn(folder);
    if ('problem' in read) tell(join(folder, FILE.summary), read.problem);
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
  const attempts = new Map<string, AttemptNumbers>();
  const add = (id: string, numbers: AttemptNumbers): AttemptNumbers => {
    const known = attempts.get(id);
    if (known !== undefined) return known;
    attempts.set(id, numbers);
    return numbers;
  };
  const recorded = new Map<string, { at: string; names: Set<string> }>();
  for (const source of sources) {
    if (source.kind === 'run') {
      try {
        readRun(source, add, tell);
      } catch (error) {
        // A folder that cannot be listed does not end the others.
        if (!(error instanceof Fault)) throw error;
        tell(source.path, troubleOf(source.path, error));
      }
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
      const said = recorded.get(attemptId(record)) ?? { at: item.at, names: new Set() };
      for (const one of record.recorded) said.names.add(one);
      recorded.set(attemptId(record), said);
      const { interface: name, packets_out, packets_in, bytes_out, bytes_in } = record;
      if (!numbers.paths.some((path) => path.interface === name))
        numbers.paths.push({ interface: name, packets_out, packets_in, bytes_out, bytes_in });
    }
  }
  const visits = new Visits<AttemptNumbers>();
  for (const [id, numbers] of attempts) {
    const { at, names } = recorded.get(id) ?? { at: '', names: new Set<string>() };
    const missing = [...names].filter((name) => !numbers.paths.some((path) => path.interface === name));
    if (missing.length === 0) visits.add(numbers);
    else
      tell(at, `visit ${numbers.visit}.${numbers.attempt} is incomplete: no record of ${missing.join(', ')}`);
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
