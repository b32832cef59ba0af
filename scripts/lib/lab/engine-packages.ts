/** Docker on this computer: as it is, whoever packaged it, or Debian's. */
import { exists } from '../files.ts';
import { attempt } from '../transport/local.ts';
import { ensurePackages } from './packages.ts';

const works = async (...words: string[]): Promise<boolean> => (await attempt(words)).code === 0;
const has = (command: string): Promise<boolean> => works('sh', '-c', `command -v ${command}`);

/** Whether this computer has a Docker daemon that a lab could start. */
export const hasDocker = (): Promise<boolean> => has('dockerd');

const hasCompose = async (): Promise<boolean> =>
  (await has('docker-compose')) || (await works('docker', 'compose', 'version'));

/**
 * Debian's package starts an engine on the computer itself at once, with a bridge and a firewall that forwards nothing
 * else any more. Nobody asked for that one here: it is installed, and left off.
 */
async function installIdle(): Promise<void> {
  if (!exists('/run/systemd/system')) return ensurePackages(['docker.io']);
  const containerd = (await works('systemctl', 'cat', 'containerd.service')) ? [] : ['containerd.service'];
  const units = ['docker.service', 'docker.socket', ...containerd];
  await attempt(['systemctl', 'mask', '--runtime', ...units]);
  try {
    await ensurePackages(['docker.io']);
  } finally {
    await attempt(['systemctl', 'unmask', '--runtime', ...units]);
    await attempt(['systemctl', 'disable', ...units]);
  }
  console.error("Docker's own service was left off; to have it: sudo systemctl enable --now docker");
}

/** Installs Debian's Docker where there is none: another one's packages would not go with it. */
export async function ensureDocker(): Promise<void> {
  if (!(await hasDocker())) await installIdle();
  // A package of its own in newer Debians.
  if (!(await has('docker'))) await ensurePackages(['docker-cli']);
  if (!(await hasCompose())) await ensurePackages(['docker-compose']);
}
