/** What bench/migrate.ts compares. */

export type Mover = 'none' | 'engine' | 'split' | 'shell' | 'python';

export interface Case {
  /** What switches the paths: nobody, migrate.ts by routes or by packet in the kernel, or the original's loop in a shell or Python. */
  mover: Mover;
  /** Seconds from one switch to the next; null where nothing is switched by time. */
  period: number | null;
  /** `ours` as setup.sh leaves them; `original`: the three rules, and one route a table. */
  tables: 'ours' | 'original';
}

const ours = (mover: Mover, period: number | null): Case => ({ mover, period, tables: 'ours' });
const original = (mover: Mover, period: number): Case => ({ mover, period, tables: 'original' });

/** The one that all others are compared to. */
export const BASE = ours('none', null);

/** Seconds as people say them: `1 s`, `10 ms`. */
export const periodText = (seconds: number): string =>
  seconds < 1 ? `${Math.round(seconds * 1e6) / 1e3} ms` : `${seconds} s`;

/** How a table calls it. */
export function nameOf({ mover, period, tables }: Case): string {
  if (period === null) return mover === 'none' ? 'no migration' : 'kernel split';
  const what = mover === 'engine' ? 'migrate.ts' : `del + add, ${mover}`;
  return `${what}, ${periodText(period)}${mover !== 'engine' && tables === 'ours' ? ', our tables' : ''}`;
}

/** All cases, the base first; `split`: whether migrate.ts can split by packet. */
export function casesWith({ split }: { split: boolean }): [Case, ...Case[]] {
  return [
    BASE,
    ...[1, 0.1, 0.01, 0.001].map((period) => ours('engine', period)),
    ...(split ? [ours('split', null)] : []),
    ...(['shell', 'python'] as const).flatMap((mover) =>
      [0.1, 0.01].map((period) => original(mover, period)),
    ),
    ...[0.1, 0.01].map((period) => ours('shell', period)),
  ];
}

/**
 * Whether a long run of packets is sent for it as well: those of which it is claimed that not one in so many is lost,
 * and the base, as what is lost there is not lost by switching.
 */
export const isCounted = ({ mover, period }: Case): boolean =>
  mover === 'none' || mover === 'split' || (mover === 'engine' && (period === 0.1 || period === 0.01));

/** Whether streams are measured without a line as well: those that this project offers. */
export const isFree = ({ mover }: Case): boolean =>
  mover === 'none' || mover === 'engine' || mover === 'split';
