/** Pages of a list. Pure. */

export interface Paged {
  items: unknown[];
  /** Empty where all fits on one page. */
  links: { pages?: Record<string, string> };
  meta: { total: number };
}

const MOST = 200;

const whole = (text: string | null, usual: number): number => {
  const value = Number(text ?? usual);
  return Number.isSafeInteger(value) && value >= 1 ? value : usual;
};

/**
 * The page that a query asks for; `url` is that of the list, without a query. For numbers that the document does not allow
 * (`per_page=500`, `page=0`) the nearest or the usual one is taken: what DigitalOcean does with them was not seen.
 */
export function pageOf(all: readonly unknown[], query: URLSearchParams, url: string): Paged {
  const size = Math.min(MOST, whole(query.get('per_page'), 20));
  const page = whole(query.get('page'), 1);
  const last = Math.max(1, Math.ceil(all.length / size));
  const link = (number: number): string => {
    const rest = new URLSearchParams(query);
    rest.set('page', String(number));
    if (query.has('per_page')) rest.set('per_page', String(size));
    return `${url}?${rest}`;
  };
  const pages = {
    ...(page > 1 ? { first: link(1), prev: link(page - 1) } : {}),
    ...(page < last ? { next: link(page + 1), last: link(last) } : {}),
  };
  return {
    items: all.slice((page - 1) * size, page * size),
    links: Object.keys(pages).length === 0 ? {} : { pages },
    meta: { total: all.length },
  };
}
