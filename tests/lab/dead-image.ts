import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run } from '../../scripts/lib/transport/local.ts';

const PARTS = 'bin sbin lib lib64 usr/bin/dash usr/bin/sh usr/lib64 usr/lib/*/libc.so.6 usr/lib/*/ld-linux*';

// As systemd where the kernel has no room for it.
const DEAD = '#!/bin/sh\necho "Failed to create inotify object: Too many open files"\nexit 1\n';

/** Beside a lab's image another one, of which a droplet's system ends at once. `remove` takes it away. */
export async function deadImage(image: string): Promise<{ folder: string; remove: () => void }> {
  const folder = mkdtempSync(join(tmpdir(), 'comps-dead-'));
  const tree = join(folder, 'ready');
  for (const path of ['etc', 'usr/lib/systemd', 'usr/sbin']) mkdirSync(join(tree, path), { recursive: true });
  await run(['sh', '-c', `cd "$1" && cp -a --parents ${PARTS} "$2"`, 'sh', join(image, 'ready'), tree]);
  writeFileSync(join(tree, 'usr/lib/os-release'), 'ID=dead\n');
  for (const path of ['usr/sbin/init', 'usr/lib/systemd/systemd'])
    writeFileSync(join(tree, path), DEAD, { mode: 0o755 });
  return { folder, remove: () => rmSync(folder, { recursive: true }) };
}
