import { single, type Task } from '../runner/task.ts';
import { quoteAll } from '../shell.ts';
import type { HostFacts } from './facts.ts';

/** Seconds to wait for another holder of the package lock (first-boot work, unattended upgrades). */
const LOCK_TIMEOUT = 300;

/** An installed package prints its name; one that is not, or only half, prints nothing. */
const probeFor = (names: readonly string[]): string =>
  `dpkg-query -W -f '\${db:Status-Status} \${Package}\\n' ${quoteAll(names)} 2>/dev/null | sed -n 's/^installed //p'`;

/**
 * The package lists may be older than the mirror or not be there yet, or an earlier installation was cut off: then
 * that is mended and it is tried again. (dpkg itself would not wait for the lock, so it does not come first.)
 */
const installing = (names: readonly string[]): string => `
export DEBIAN_FRONTEND=noninteractive
apt="apt-get -q -o DPkg::Lock::Timeout=${LOCK_TIMEOUT}"
install() { $apt install -y --no-install-recommends ${quoteAll(names)}; }
install || { dpkg --configure -a || true; $apt update && install; }
`;

/** WireGuard's tools and nftables are installed; wireguard-go too where the kernel has no WireGuard. */
export function wireguardPackages(): Task<HostFacts> {
  const always = ['wireguard-tools', 'nftables'];
  return {
    name: 'packages',
    probe: probeFor([...always, 'wireguard-go']),
    judge: (seen, { kernelWireguard }) => {
      const installed = new Set(seen.split('\n'));
      const wanted = kernelWireguard ? always : [...always, 'wireguard-go'];
      const missing = wanted.filter((name) => !installed.has(name));
      if (missing.length === 0) return single(undefined);
      return single({ line: `install ${missing.join(', ')}`, shell: installing(missing) });
    },
  };
}
