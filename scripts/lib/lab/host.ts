/** What this computer must be and have before a lab can stand on it. */
import { Fault } from '../cli.ts';
import { exists, realPath } from '../files.ts';
import { attempt } from '../transport/local.ts';
import { labNamespaceHere } from './network.ts';
import { ensurePackages } from './packages.ts';

const PACKAGES = [
  ...['mmdebstrap', 'systemd-container', 'iproute2', 'procps', 'openssh-client', 'util-linux', 'tcpdump'],
  'openssl',
];

/** Refuses where there is no Linux, no root, or where this runs inside a lab. */
export async function checkPrivilege(): Promise<void> {
  if (process.platform !== 'linux') throw new Fault({ what: 'a lab needs Linux: it is made of namespaces' });
  if (process.getuid?.() !== 0)
    throw new Fault({
      what: 'a lab needs root: it makes network namespaces and starts machines',
      next: 'run it with sudo',
    });
  const inside = await labNamespaceHere();
  if (inside !== undefined)
    throw new Fault({
      what: `this runs inside a lab (${inside})`,
      next: 'run it outside, without `lab.ts exec`',
    });
}

/** Refuses where a lab cannot stand; installs the Debian packages that are missing. */
export async function checkHost(): Promise<void> {
  await checkPrivilege();
  if (!exists('/dev/net/tun'))
    throw new Fault({ what: 'no /dev/net/tun, which WireGuard in user space needs', next: 'modprobe tun' });
  await ensurePackages(PACKAGES);
}

/** The folder of the npm that this computer runs; the client gets the same. */
export async function npmFolder(): Promise<string> {
  const { stdout } = await attempt(['sh', '-c', 'command -v npm']);
  const script = stdout.trim();
  const folder = script === '' ? '' : realPath(script).replace(/\/bin\/[^/]+$/, '');
  if (exists(`${folder}/bin/npx-cli.js`)) return folder;
  throw new Fault({
    what: 'cannot find npm on this computer',
    next: 'install Node 20 or newer with its npm',
  });
}
