import { paint } from '../cli.ts';
import { type Config, parseConfig } from '../config.ts';
import { readText } from '../files.ts';

/** Notices that this process has printed. */
const told = new Set<string>();

/** config.cfg, read and judged; its notices are printed, once. */
export function readConfig(file: string): Config {
  const { config, notices } = parseConfig(
    readText(file, `cp config.cfg.example ${file}, and fill it in`),
    file,
  );
  for (const notice of notices.filter((one) => !told.has(one))) {
    told.add(notice);
    console.log(`${paint.cyan('notice:')} ${notice}`);
  }
  return config;
}
