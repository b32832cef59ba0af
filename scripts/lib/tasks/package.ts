import { single, type Task } from '../runner/task.ts';
import { quoteAll } from '../shell.ts';
import type { HostFacts } from './facts.ts';
import { awaitLocksShell } from './package-lock.ts';

/** Seconds to wait for other holders of the package lock (first-boot work, unattended upgrades). */
const LOCK_TIMEOUT = 300;

/** An installed package prints its name; one that is not, or only half, or whose program has another name, prints nothing. */
const probeFor = (names: readonly string[]): string => `
without=wireguard-go
if command -v wireguard-go >/dev/null; then without=none; fi
# dpkg's file is read as dpkg-query reads it, in a fifth of the time; what a cut-off dpkg left beside it only dpkg-query knows.
set -- /var/lib/dpkg/updates/[0-9]*
if [ -e "$1" ] || [ ! -r /var/lib/dpkg/status ]; then
  dpkg-query -W -f '\${db:Status-Status} \${Package}\\n' ${quoteAll(names)} 2>/dev/null |
    sed -n "/^installed $without$/d; s/^installed //p"
else
  awk -v without=$without '/^Package: (${names.join('|')})$/ { name = $2 }
    /^Status: / { if (name != "" && name != without && $NF == "installed") print name; name = "" }' /var/lib/dpkg/status
fi`;

/** In Ubuntu 22.04 the package's program is called `wireguard`, and wg-quick looks for `wireguard-go`. */
const NAME_PROGRAM =
  'command -v wireguard-go >/dev/null || [ ! -x /usr/bin/wireguard ] || ln -sf /usr/bin/wireguard /usr/local/bin/wireguard-go';

/** What apt's words mean, where a person might look in the wrong place; `$said` has them. */
const EXPLAIN = `
has() { printf '%s\\n' "$said" | grep -Eqi "$1"; }
if has 'is not valid yet|not yet valid|has expired|is expired'; then
  echo "the clock of this host may be wrong: $(date -u '+%Y-%m-%d %H:%M:%S') UTC there" >&2
  echo 'next: set it there (\`timedatectl set-ntp true\`), then run this again' >&2
elif has 'No space left on device|enough free space'; then
  comps_full=' what apt needs'
elif has 'Temporary failure resolving|Could not resolve|Unable to connect|Could not connect|connection timed out'; then
  echo 'this host does not reach its package mirror' >&2
  echo 'next: see \`apt-get update\` there: its resolver, its way out, its /etc/apt/sources.list' >&2
elif has 'Unable to locate package|has no installation candidate'; then
  echo 'its package sources lack that; Ubuntu has it in "universe"' >&2
  echo 'next: \`apt-get update\` there names them; Debian 12 and 13, Ubuntu 22.04 and 24.04 have all that is needed' >&2
fi`;

/**
 * The package lists may be older than the mirror or not be there yet, or an earlier installation was cut off: then
 * that is mended and it is tried again. Neither apt nor dpkg waits for a lock here, so that it is told who has it; one who
 * takes it in between is waited for again.
 */
const installing = (names: readonly string[]): string => `
export DEBIAN_FRONTEND=noninteractive NEEDRESTART_SUSPEND=1
${awaitLocksShell(LOCK_TIMEOUT)}
quietly() {
  while :; do
    await_locks
    said=$("$@" 2>&1) && return 0
    printf '%s\\n' "$said" | grep -Eq 'Could not get lock|lock was locked by another' || return 1
    [ "$(uptime)" -lt "$lock_end" ] || return 1
    sleep 0.5
  done
}
install() {
  quietly apt-get -q -y --no-install-recommends -o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold \\
    install ${quoteAll(names)}
}
if ! install; then
  quietly dpkg --configure -a || true
  # One source that fails is no harm where another has what is needed.
  quietly apt-get -q update && updated= || updated=$said
  if ! install; then
    said="$updated
$said"
    errors=$(printf '%s\\n' "$said" | grep -E '^(E|dpkg):' | tail -n 3)
    printf '%s\\n' "\${errors:-$said}" | tail -n 3 >&2
    ${EXPLAIN.trim()}
    exit 1
  fi
fi
${NAME_PROGRAM}`;

/** WireGuard's tools and nftables are installed; wireguard-go too where the kernel has no WireGuard. */
export function wireguardPackages(): Task<HostFacts> {
  const always = ['wireguard-tools', 'nftables'];
  return {
    name: 'packages',
    tags: ['packages'],
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
