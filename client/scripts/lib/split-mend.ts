/** What is missing of a split that is in force, by what the kernel shows of it. Pure. */
import { markOf, pointTo, REFUSAL, refusalIn, ruleTo, standbyOver } from './split-rules.ts';

interface Rule {
  fwmark?: string;
  table?: string;
}

interface Route {
  type?: string;
  dst: string;
  dev?: string;
  metric?: number;
  table?: string;
}

const parse = <T>(json: string): T[] => (json.trim() === '' ? [] : JSON.parse(json));

export interface Missing {
  /** In the order in which they are to be carried out. */
  commands: string[];
  /** What an interface that goes does not take along, so that somebody took it: for a log. */
  taken: string[];
}

/**
 * Compares what `ip -j -4 rule show pref 99` and `ip -j -4 route show table all` printed with what is to be there;
 * `instead` has for each path the index of the one that it goes by. A route over an interface that is gone is missing
 * too: its command fails until that is back.
 */
export function missingIn(
  rules: string,
  routes: string,
  names: readonly string[],
  instead: readonly number[],
): Missing {
  const allRules = parse<Rule>(rules);
  const allRoutes = parse<Route>(routes).filter(({ dst }) => dst === 'default');
  const commands: string[] = [];
  const taken: string[] = [];
  const last: string[] = [];
  for (const [i, name] of names.entries()) {
    const mark = markOf(name);
    const own = allRoutes.filter(({ table }) => table === String(mark));
    const has = (dev: string, wanted: number): boolean =>
      own.some((route) => route.dev === dev && (route.metric ?? 0) === wanted);
    if (!own.some(({ type, metric }) => type === 'unreachable' && metric === REFUSAL)) {
      taken.push(`table ${mark}`);
      commands.push(refusalIn(name));
    }
    for (const other of names)
      if (other !== name) {
        const { command, metric } = standbyOver(other, name, names);
        if (!has(other, metric)) commands.push(command);
      }
    const to = names[instead[i] ?? i] ?? name;
    if (!has(to, 0)) commands.push(pointTo(name, to));
    if (!allRules.some(({ fwmark, table }) => Number(fwmark) === mark && table === String(mark))) {
      taken.push(`rule to ${mark}`);
      last.push(ruleTo(name));
    }
  }
  return { commands: [...commands, ...last], taken };
}
