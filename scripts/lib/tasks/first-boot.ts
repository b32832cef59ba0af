/** A new server's first minutes: cloud-init at work, and packages being installed behind everybody's back. */

/** Files that apt and dpkg hold a lock on while they work. */
const LOCKS = ['/var/lib/dpkg/lock-frontend', '/var/lib/dpkg/lock', '/var/lib/apt/lists/lock'];

/**
 * Returns once cloud-init has ended (well or not) and nobody holds a package lock, twice in a row; prints what it waits
 * for, a line each. Locks are read from /proc/locks (proc(5)), as a small server has no fuser.
 */
export const awaitFirstBoot = (seconds: number): string => `
end=$(($(date +%s) + ${Math.ceil(seconds)}))
late() { [ "$(date +%s)" -ge $end ]; }
if command -v cloud-init >/dev/null 2>&1; then
  echo 'cloud-init'
  timeout ${Math.ceil(seconds)} cloud-init status --wait >/dev/null 2>&1 || true
fi
held() {
  for file in ${LOCKS.join(' ')}; do
    inode=$(stat -c %i "$file" 2>/dev/null) || continue
    if grep -q ":$inode " /proc/locks; then return 0; fi
  done
  return 1
}
free=0
while [ $free -lt 2 ]; do
  if held; then
    [ $free -lt 0 ] || echo 'package installation'
    free=-1
    late && exit 9
    sleep 0.5
  else
    [ $free -ge 0 ] || free=0
    free=$((free + 1))
    [ $free -eq 2 ] || sleep 0.2
  fi
done`;

/** The exit code of {@link awaitFirstBoot} where the time was not enough. */
export const STILL_BUSY = 9;
