/** Tokens (`%h`), variables (`${NAME}`) and `~` in values of ssh_config. */
import { resolve } from 'node:path';
import { Fault } from '../../cli.ts';

/** Each token's letter and what it stands for. */
export type Tokens = Readonly<Record<string, string>>;

/** The value with tokens and variables filled in; a Fault names one that does not exist. */
export function fill(text: string, tokens: Tokens, env: NodeJS.ProcessEnv, at: string): string {
  const filled = text.replace(/%(.?)/g, (token, letter: string) => {
    const value = letter === '%' ? '%' : tokens[letter];
    if (value !== undefined) return value;
    throw new Fault({
      at,
      what: `${token} is no token that is known here`,
      next: 'write what it stands for',
    });
  });
  return filled.replace(/\$\{(\w+)\}/g, (_, name: string) => {
    const value = env[name];
    if (value !== undefined) return value;
    throw new Fault({ at, what: `\${${name}} is not set`, next: `export ${name}=…` });
  });
}

/** A full path; `~` is the home directory. */
export const homePath = (path: string, home: string): string =>
  resolve(path === '~' || path.startsWith('~/') ? home + path.slice(1) : path);

/** `30`, `2m`, `1h30m` as seconds; undefined for what is no time. */
export function secondsOf(text: string): number | undefined {
  if (!/^(\d+[smhdw]?)+$/i.test(text)) return undefined;
  const units: Record<string, number> = { '': 1, s: 1, m: 60, h: 3600, d: 86_400, w: 604_800 };
  return [...text.toLowerCase().matchAll(/(\d+)([smhdw]?)/g)].reduce(
    (sum, [, count, unit = '']) => sum + Number(count) * (units[unit] ?? 1),
    0,
  );
}
