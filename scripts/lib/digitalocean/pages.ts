/** Lists that come in pages. */
import type { Page } from './replies.ts';

/** The most that the API gives at once. */
export const PER_PAGE = 200;

/** Pages after which a list is taken for one without end. */
const MOST_PAGES = 100;

/** Times that a list which changed while it was read is read. */
const READINGS = 3;

/** Whether another page is to be asked for; `all` of all pages so far, `fresh` of the last that were not known before. */
function isMore<T>({ items, more, total }: Page<T>, all: number, fresh: number): boolean {
  if (fresh === 0) return false;
  if (more !== undefined) return more;
  // Without a total, the only sign of the end is a page with nothing on it.
  return total === undefined ? items.length > 0 : all < total;
}

/** One reading; undefined where it has no end. */
async function read<T>(
  ask: (page: number) => Promise<Page<T>>,
  keyOf: (item: T) => string | number,
): Promise<{ items: T[]; whole: boolean } | undefined> {
  const found = new Map<string | number, T>();
  const totals = new Set<number>();
  let all = 0;
  for (let number = 1; number <= MOST_PAGES; number++) {
    const page = await ask(number);
    const before = found.size;
    for (const item of page.items) found.set(keyOf(item), item);
    all += page.items.length;
    totals.add(page.total ?? 0);
    if (isMore(page, all, found.size - before)) continue;
    // What is made or deleted between two pages moves all behind it: one may be seen twice, and another not at all.
    return {
      items: [...found.values()],
      whole: number === 1 || (totals.size === 1 && found.size >= (page.total ?? 0)),
    };
  }
  return undefined;
}

/** All items of all pages, each once; read anew where the list changed meanwhile. `endless` makes the error where they have no end. */
export async function allPages<T>(
  ask: (page: number) => Promise<Page<T>>,
  keyOf: (item: T) => string | number,
  endless: (what: string) => Error,
): Promise<T[]> {
  for (let reading = 1; ; reading++) {
    const found = await read(ask, keyOf);
    if (found === undefined) throw endless(`${MOST_PAGES} pages were read, and there was no last one`);
    if (found.whole || reading === READINGS) return found.items;
  }
}
