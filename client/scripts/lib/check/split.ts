/** A split by packet that is in force: by nftables' table `comps_split`, and by what it needs beside it. Pure. */
import { markOf, SPLIT, type Wg0 } from '../split-rules.ts';
import { type Rule, splitTables } from './rules.ts';
import { bad, END_SPLIT, type Finding, good, plural } from './verdict.ts';

interface Listed {
  nftables: { chain?: { table: string; hook?: string }; counter?: { name: string } }[];
}

/** Whether packets are marked, by what `nft -j list chains inet` printed: what ends a split takes that chain first. */
export const splitMarks = (chains: string): boolean =>
  (JSON.parse(chains) as Listed).nftables.some(
    ({ chain }) => chain?.table === SPLIT && chain.hook === 'output',
  );

/** The paths that packets are marked for, by what `nft -j list counters table inet comps_split` printed. */
export const pathsIn = (counters: string): string[] =>
  (JSON.parse(counters) as Listed).nftables.flatMap(({ counter }) =>
    counter === undefined ? [] : [counter.name],
  );

/** Those of the paths that packets are marked for that no rule leads to. */
function lostPaths(paths: readonly string[], rules: readonly Rule[]): string[] {
  const tables = new Set(splitTables(rules));
  return paths.filter((path) => !tables.has(markOf(path)));
}

/** `paths`: those that packets are marked for; nothing is said where there are none. */
export function judgeSplit(
  paths: readonly string[],
  rules: readonly Rule[],
  wg0: Wg0 | undefined,
): Finding[] {
  if (paths.length === 0) return [];
  const about = ['split', 'nftables table inet comps_split'] as const;
  const found = `marks for ${paths.join(', ')}`;
  const lost = lostPaths(paths, rules);
  const tables = lost.map((path) => `"fwmark ${markOf(path)} lookup ${markOf(path)}"`);
  const rule =
    lost.length === 0
      ? good(...about, found)
      : bad(
          ...about,
          found,
          `the ${plural(lost.length, 'rule')} ${tables.join(', ')} ${lost.length === 1 ? 'is' : 'are'} missing: what is marked for ${lost.join(', ')} goes nowhere`,
          END_SPLIT,
        );
  if (wg0 === undefined || !wg0.joins) return [rule];
  const joined = ['split-joined', 'wg0’s packets, one by one', `gso_max_segs ${wg0.now}`] as const;
  if (wg0.now === 1) return [rule, good(...joined)];
  const reason =
    'what wg0 hands over joined to one is longer than a path takes, and stays on the current path';
  return [rule, bad(...joined, reason, 'ip link set wg0 gso_max_segs 1')];
}
