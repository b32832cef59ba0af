/** The virtual machine's kernel and disk: made once, like the lab's other systems. */
import { join } from 'node:path';
import { Fault } from '../../cli.ts';
import { makeDirectory, writeText } from '../../files.ts';
import { step } from '../../progress.ts';
import { attempt, run } from '../../transport/local.ts';
import { ensureCached } from '../cache.ts';
import { BOUND, causeIn } from '../image.ts';
import { ensurePackages } from '../packages.ts';
import { EARLY_INIT, INIT, PACK, vmHash, vmWords } from './recipe.ts';

async function build(folder: string, mirror: string): Promise<void> {
  await step('Debian with its own kernel', async () => {
    const tree = join(folder, 'tree');
    const { code, stderr } = await attempt([...BOUND, ...vmWords(tree, mirror)]);
    if (code !== 0) throw new Fault({ what: `mmdebstrap ended with ${code}: ${causeIn(stderr)}` });
    makeDirectory(join(folder, 'early'));
    writeText(join(folder, 'early', 'init'), EARLY_INIT, 0o755);
    writeText(join(tree, 'init'), INIT, 0o755);
  });
  await step('its disks', async () => {
    for (const script of Object.values(PACK)) await run([...BOUND, 'sh', '-c', script, 'sh', folder]);
  });
}

/** The folder with `kernel`, `initrd` and `disk`; built first, with progress, where it is missing. QEMU is there then. */
export async function ensureVm(mirror?: string): Promise<string> {
  if (process.arch !== 'x64')
    throw new Fault({ what: `the virtual machine is an x64 one, and this computer is ${process.arch}` });
  await ensurePackages(['qemu-system-x86', 'mmdebstrap', 'e2fsprogs']);
  return ensureCached(
    {
      name: vmHash(),
      what: 'virtual machine',
      takes: 'about half a minute',
      parts: ['kernel', 'initrd', 'disk'],
      build,
    },
    mirror,
  );
}
