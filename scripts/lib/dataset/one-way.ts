/** What an export cannot hold: packets of paths with one direction only, of which there is no record. */
import { hasBothWays } from '../../../client/scripts/lib/trace/record.ts';
import type { Plan, Wish } from './plan.ts';
import { attemptsOf, type Source, summaryIn } from './source.ts';
import { attemptId } from './visits.ts';

export interface OneWay {
  packets: number;
  /** Paths of visits that have such packets. */
  paths: number;
}

/** Of the chosen visits that come from run folders: by the totals in visit.json, as a records file has none. */
export function oneWayIn(sources: readonly Source[], { chosen }: Plan, { path: wanted }: Wish): OneWay {
  const all = { packets: 0, paths: 0 };
  const counted = new Set<string>();
  for (const source of sources)
    for (const { folder, visit, attempt } of source.kind === 'run' ? attemptsOf(source.path).attempts : []) {
      const id = attemptId({ run: (source as Source & { kind: 'run' }).manifest.run, visit, attempt });
      if (!chosen.has(id) || counted.has(id)) continue;
      counted.add(id);
      const read = summaryIn(folder);
      for (const path of 'problem' in read ? [] : read.value.paths) {
        const packets = path.packets_out + path.packets_in;
        const named = ['joined', 'each', 'both', path.interface].includes(wanted);
        if (hasBothWays(path) || packets === 0 || !named) continue;
        all.packets += packets;
        all.paths++;
      }
    }
  return all;
}
