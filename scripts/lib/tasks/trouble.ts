/** Why a change could not be made, in plain words where the host itself is at fault. */
import type { Task } from '../runner/task.ts';

/** Where the changes of all tasks write. */
const PLACES =
  '/etc/wireguard /etc/sysctl.d /etc/systemd/system /etc /usr /var/lib/dpkg /var/cache/apt /var /tmp';

/**
 * Where the shell behind it fails, says which file system is full or read-only, if one is. Full: less than 64 KiB or no
 * inode is left to root; a change that knows it by itself sets `$comps_full`. For root a folder that cannot be written
 * is on a read-only file system (or made immutable).
 */
const ON_FAILURE = `
comps_why() {
  rc=$?
  trap - EXIT
  [ $rc = 0 ] && exit 0
  full= closed=
  for place in ${PLACES}; do
    [ -d $place ] || continue
    [ -w $place ] || closed="$closed $place"
    set -- $(stat -f -c '%S %f %c %d' $place)
    [ $(($1 / 256 * $2)) -ge 256 ] && { [ $3 = 0 ] || [ $4 -gt 0 ]; } || full="$full $place"
  done
  full=\${full:-\${comps_full:-}}
  if [ -n "$full" ]; then
    echo "the disk of this host is full: nothing is left for$full" >&2
    echo "next: see \\\`df -h; df -i\\\` there and make room, then run this again" >&2
  elif [ -n "$closed" ]; then
    echo "the file system is read-only on this host:$closed" >&2
    echo "next: see \\\`dmesg\\\` there for the reason; \\\`mount -o remount,rw /\\\` (or its own mount point), then run this again" >&2
  fi
  exit $rc
}
trap comps_why EXIT
`;

/** The task with changes that say so where a full disk or a read-only file system is in their way. */
export const explained = <F>(task: Task<F>): Task<F> => ({
  ...task,
  judge: (seen, facts) => {
    const verdict = task.judge(seen, facts);
    return {
      ...verdict,
      changes: verdict.changes.map((change) => ({ ...change, shell: `${ON_FAILURE}${change.shell}` })),
    };
  },
});
