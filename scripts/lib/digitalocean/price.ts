/** Droplets' prices for a person. DigitalOcean bills by time, at most a month's price in a month; US dollars, without tax. */
import type { Size } from './api.ts';

/** `$0.0357`: as many digits as an hour's price needs; `$24` for whole dollars. */
export function dollars(amount: number): string {
  if (Number.isInteger(amount)) return `$${amount}`;
  return amount < 1 ? `$${Number(amount.toPrecision(3))}` : `$${amount.toFixed(2)}`;
}

/** A sum that has been spent, to the cent. */
export const spent = (amount: number): string =>
  amount < 0.01 ? 'under $0.01' : `about $${amount.toFixed(2)}`;

/** Of droplets of these sizes together, an hour and a month. */
export function priceOf(
  slugs: readonly string[],
  sizes: readonly Size[],
): { hourly: number; monthly: number } {
  const found = slugs.map((slug) => sizes.find((size) => size.slug === slug));
  const sum = (of: (size: Size) => number): number =>
    found.reduce((total, size) => total + (size === undefined ? 0 : of(size)), 0);
  return { hourly: sum(({ priceHourly }) => priceHourly), monthly: sum(({ priceMonthly }) => priceMonthly) };
}

/** Hours in a month, as DigitalOcean counts them for its monthly price. */
const MONTH = 672;

/** About what a droplet has cost: its age in seconds at its hourly price; a month is never more than a month's price. */
export function costSoFar(age: number, hourly: number): number {
  const hours = Math.max(0, age) / 3600;
  // A calendar month has 730 hours, of which no more than 672 are billed.
  const months = Math.floor(hours / 730);
  return (months * MONTH + Math.min(hours - months * 730, MONTH)) * hourly;
}

/** `3 days`, `5 hours`, `12 minutes`. */
export function ageText(seconds: number): string {
  const units: [string, number][] = [
    ['day', 86_400],
    ['hour', 3600],
    ['minute', 60],
  ];
  const [word, length] = units.find(([, each]) => seconds >= each) ?? ['second', 1];
  const count = Math.max(0, Math.floor(seconds / length));
  return `${count} ${word}${count === 1 ? '' : 's'}`;
}
