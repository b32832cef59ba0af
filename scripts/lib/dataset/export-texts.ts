/** Traces as a folder of texts, one file a trace. */
import type { Plan, Wish } from './plan.ts';
import { csvLine, labelsText, type TextFormat, traceFile, traceText } from './texts.ts';
import { LABELS, VISITS, writeFolder } from './trace-folder.ts';
import { type Origin, originOf, tracesOf, type Visit } from './traces.ts';

interface TextWish extends Wish {
  format: TextFormat;
  origin: Origin;
}

/**
 * Writes every trace, `labels.csv`, and `visits.csv` (which run, visit and path a file is of). `exact` throws where
 * they are not as many as planned. Returns the traces written.
 */
export async function writeTexts(
  folder: string,
  plan: Plan,
  visits: AsyncIterable<Visit>,
  { format, origin, ...wish }: TextWish,
  exact: (written: { rows: number; longer: number }) => void,
): Promise<{ rows: number; longer: number }> {
  const index = [csvLine(['file', 'label', 'run', 'visit', 'path'])];
  await writeFolder(folder, async (put) => {
    for await (const visit of visits)
      for (const trace of tracesOf(visit, wish)) {
        const { label, run, instance, interfaces } = visit;
        const name = traceFile(`${label}-${instance}`, trace.path, format);
        put(name, traceText(format, trace.packets, originOf(trace, origin)));
        const path = trace.path === null ? 'joined' : (interfaces[trace.path] as string);
        index.push(csvLine([name, label, run, visit.visit, path]));
      }
    exact({ rows: index.length - 1, longer: 0 });
    put(VISITS, index.join(''));
    put(LABELS, labelsText(plan.labels));
  });
  return { rows: index.length - 1, longer: 0 };
}
