/** Interfaces named as the tunnels are, veth pairs in a network namespace of the test file's own, and what migrate.ts does to them. */
import { execFileSync } from 'node:child_process';
import { after, before, beforeEach } from 'node:test';
import { inNamespace, killAll, Migrator, outcome } from './migrator.ts';

export const NAMESPACE = `comps-migrate-${process.pid}`;
/** One without any. */
export const EMPTY = `${NAMESPACE}-empty`;
export const TUNNELS = ['wgnet1', 'wgnet2', 'wgnet3'];

const root = (...words: string[]): string => execFileSync('ip', words, { encoding: 'utf8', stdio: 'pipe' });
export const ip = (...words: string[]): string => root('-n', NAMESPACE, ...words);
export const routes = (): string[] =>
  ip('route', 'show', 'table', '51821')
    .trim()
    .split('\n')
    .map((line) => line.trim());
/** The path in force: metric 0. */
export const current = (): string | undefined =>
  routes()
    .map((line) => /^default dev (\S+) scope link$/.exec(line)?.[1])
    .find((name) => name !== undefined);

/** Paths that are no WireGuard's are not watched; migratehealth.test.ts has some that seem to be. */
export const here = (words: readonly string[], namespace = NAMESPACE): string[] =>
  inNamespace(namespace, ['--no-health', ...words]);
export const start = (...words: string[]): Migrator => new Migrator(here(words));
export const ends = (...words: string[]) => outcome(here(words));

/** Brings a tunnel up; the standby route over it comes with it, as setup.sh lays it. */
export function tunnelUp(name: string): void {
  ip('link', 'add', name, 'type', 'veth', 'peer', 'name', name.replace('wgnet', 'peer'));
  ip('link', 'set', name, 'up');
  ip('link', 'set', name.replace('wgnet', 'peer'), 'up');
  ip('route', 'add', 'default', 'dev', name, 'metric', name.replace('wgnet', '100'), 'table', '51821');
}

/** Both namespaces, from before the file's first test to after its last. */
export function useTunnels(): void {
  before(() => {
    for (const name of [NAMESPACE, EMPTY]) {
      root('netns', 'add', name);
      root('-n', name, 'link', 'set', 'lo', 'up');
    }
    ip('route', 'add', 'unreachable', 'default', 'metric', '4278198272', 'table', '51821');
    for (const name of TUNNELS) tunnelUp(name);
  });
  beforeEach(killAll);
  after(async () => {
    await killAll();
    for (const name of [NAMESPACE, EMPTY]) {
      try {
        root('netns', 'delete', name);
      } catch {
        // Was not made.
      }
    }
  });
}
