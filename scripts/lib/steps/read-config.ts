import { paint } from '../cli.ts';
import { type Config, parseConfig } from '../config.ts';
import { readText } from '../files.ts';
import { print } from '../progress.ts';
import { readExtraVars } from './extra-vars.ts';

/** Notices that this process has printed. */
const told = new Set<string>();

export function tellOnce(notice: string): void {
  if (told.has(notice)) return;
  told.add(notice);
  print(`${paint.cyan('notice:')} ${notice}`);
}

/** config.cfg, read and judged; its notices are printed, once. `extraVars`: texts of `-e`, which beat the file. */
export function readConfig(file: string, extraVars: readonly string[] = []): Config {
  const extra = readExtraVars(extraVars, readText);
  const { config, notices } = parseConfig(
    readText(file, `cp config.cfg.example ${file}, and fill it in`),
    file,
    extra.config,
  );
  for (const notice of [...extra.notices, ...notices]) tellOnce(notice);
  return config;
}
