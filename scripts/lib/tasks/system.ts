/** Which systems a server may run. */

interface System {
  /** As os-release(5) has them: `debian`, `ubuntu debian`, `22.04`. */
  id: string;
  like: string;
  version: string;
}

const TRIED: Readonly<Record<string, readonly string[]>> = {
  debian: ['12', '13'],
  ubuntu: ['22.04', '24.04'],
};

/** What people are told to take. */
export const TRIED_TEXT = 'Debian 12 or 13, or Ubuntu 22.04 or 24.04';

/**
 * `known`: written for; `untried`: of the same kind, so it may well work; `foreign`: not Debian's kind, or it does not
 * say what it is.
 */
export function judgeSystem({ id, like, version }: System): 'known' | 'untried' | 'foreign' {
  if (TRIED[id]?.includes(version)) return 'known';
  return [id, ...like.split(/\s+/)].some((name) => name in TRIED) ? 'untried' : 'foreign';
}
