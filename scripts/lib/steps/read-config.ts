import { Fault, paint } from '../cli.ts';
import { type Config, type Needed, parseConfig } from '../config.ts';
import { readText } from '../files.ts';
import { print } from '../progress.ts';
import { readExtraVars } from './extra-vars.ts';
import { givenKeys, type ModeFlags } from './mode-flags.ts';

/** Notices that this process has printed. */
const told = new Set<string>();

export function tellOnce(notice: string): void {
  if (told.has(notice)) return;
  told.add(notice);
  print(`${paint.cyan('notice:')} ${notice}`);
}

/** What of a command line stands before config.cfg. */
export interface ConfigFlags extends ModeFlags {
  /** Texts of `-e`. */
  extraVars?: readonly string[];
}

/** Whether the command line itself says the mode. */
export const saysMode = ({ mode, extraVars = [] }: ConfigFlags): boolean =>
  mode !== undefined || readExtraVars(extraVars, readText).config.has('mode');

/** config.cfg, read and judged by what the command line sets, as far as it is needed; its notices are printed, once. */
export function readConfig(file: string, given: ConfigFlags = {}, needed: Needed = 'network'): Config {
  const extra = readExtraVars(given.extraVars ?? [], readText);
  const flags = new Map<string, string>();
  for (const { key, flag, value } of givenKeys(given)) {
    const other = extra.config.get(key);
    if (other !== undefined && other !== value)
      throw new Fault({
        at: flag,
        what: `is ${value}, and --extra-vars sets ${key} otherwise`,
        next: 'give one of them',
      });
    extra.config.set(key, value);
    flags.set(key, flag);
  }
  const { config, notices } = parseConfig(
    readText(file, `cp config.cfg.example ${file}, and fill it in`),
    file,
    extra.config,
    flags,
    needed,
  );
  for (const notice of [...extra.notices, ...notices]) tellOnce(notice);
  return config;
}
