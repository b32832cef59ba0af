/** Who else installs packages on a host: first-boot work, unattended upgrades, somebody at a terminal. */
import { quoteAll } from '../shell.ts';

/** Files that apt and dpkg hold a lock on while they work. */
const LOCKS = [
  '/var/lib/dpkg/lock-frontend',
  '/var/lib/dpkg/lock',
  '/var/lib/apt/lists/lock',
  '/var/cache/apt/archives/lock',
];

/**
 * Defines `held`: true where somebody holds one of the locks; then `$lock` is the file, `$pid` and `$name` are the
 * program's. Read from /proc/locks (proc(5)), as a small server has no fuser.
 */
export const heldShell = (locks: readonly string[] = LOCKS): string => `
held() {
  for lock in ${quoteAll(locks)}; do
    inode=$(stat -c %i "$lock" 2>/dev/null) || continue
    while read -r _ kind _ _ pid place _; do
      # A line with an arrow is of one who waits.
      if [ "$kind" != '->' ] && [ "\${place##*:}" = "$inode" ]; then
        name=$(cat "/proc/$pid/comm" 2>/dev/null || echo 'a program')
        return 0
      fi
    done </proc/locks
  done
  return 1
}`;

/**
 * Defines `await_locks`: returns once nobody holds a lock, tells of each holder at once, and ends the shell with the
 * holder's name where the time is up. `seconds` are for all waits together, and no clock that is set meanwhile
 * changes them.
 */
export const awaitLocksShell = (seconds: number, locks?: readonly string[]): string => `${heldShell(locks)}
uptime() { read -r up _ </proc/uptime; echo "\${up%.*}"; }
lock_end=$(($(uptime) + ${seconds}))
await_locks() {
  told=
  while held; do
    left=$((lock_end - $(uptime)))
    if [ $left -le 0 ]; then
      echo "after ${seconds} s $name (pid $pid) still holds the package lock $lock" >&2
      echo "next: wait for it to end (\\\`ps -fp $pid\\\` there), then run this again" >&2
      exit 1
    fi
    [ "$told" = "$pid" ] || say "$name (pid $pid) holds the package lock $lock; it has $left s to end"
    told=$pid
    sleep 0.5
  done
}`;
