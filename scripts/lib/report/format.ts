/** Numbers for people, with a fixed number of decimals, so that columns of them line up. */

/** Between groups of three digits; it does not break. */
const GAP = '\u202f';
export const NONE = '–';

const grouped = (digits: string): string => digits.replace(/\B(?=(\d{3})+$)/g, GAP);

/** `12 345`. */
export const count = (n: number): string => grouped(String(Math.round(n)));

/** `12 345.6`. */
export function fixed(n: number, decimals: number): string {
  const [whole = '', fraction] = n.toFixed(decimals).split('.');
  return grouped(whole) + (fraction === undefined ? '' : `.${fraction}`);
}

const UNITS = ['B', 'kB', 'MB', 'GB', 'TB'];

/** `3.9 MB`, `812 B`. */
export function bytes(n: number): string {
  let value = n;
  let unit = 0;
  while (value >= 999.5 && unit < UNITS.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${unit === 0 ? count(value) : value.toFixed(value < 99.95 ? 1 : 0)} ${UNITS[unit]}`;
}

/** In kB, without the unit. */
export const kilobytes = (n: number | undefined): string => (n === undefined ? NONE : fixed(n / 1000, 1));

/** Seconds with three decimals, without the unit. */
export const seconds = (n: number | undefined): string => (n === undefined ? NONE : fixed(n, 3));

/** `34 %`; `–` of nothing. Only what is all says 100 %, only what is nothing 0 %. */
export function percent(part: number, of: number): string {
  if (of === 0) return NONE;
  if (part > 0 && part / of < 0.005) return '<1 %';
  if (part < of && part / of > 0.995) return '>99 %';
  return `${Math.round((100 * part) / of)} %`;
}

/** `41 s`, `12 min 05 s`, `3 h 20 min`, `6 d 04 h`. */
export function span(total: number): string {
  const two = (n: number): string => String(Math.floor(n)).padStart(2, '0');
  if (total < 60) return `${total.toFixed(total < 9.95 ? 1 : 0)} s`;
  if (total < 3600) return `${Math.floor(total / 60)} min ${two(total % 60)} s`;
  if (total < 86_400) return `${Math.floor(total / 3600)} h ${two((total % 3600) / 60)} min`;
  return `${Math.floor(total / 86_400)} d ${two((total % 86_400) / 3600)} h`;
}

/** `2026-11-22 09:11:47` (UTC), from seconds since 1970; `–` where no calendar has it. */
export function moment(time: number): string {
  const date = new Date(time * 1000);
  return Number.isNaN(date.getTime()) ? NONE : date.toISOString().slice(0, 19).replace('T', ' ');
}

export function median(values: readonly number[]): number | undefined {
  if (values.length === 0) return undefined;
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] as number;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] as number) + upper) / 2;
}

/** `1 visit`, `2 visits`. */
export const plural = (n: number, one: string, many = `${one}s`): string =>
  `${count(n)} ${n === 1 ? one : many}`;
