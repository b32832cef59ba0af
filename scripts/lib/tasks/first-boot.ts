/** A new server's first minutes: cloud-init at work, and packages being installed behind everybody's back. */
import { heldShell } from './package-lock.ts';

/**
 * Returns once cloud-init has ended (well or not) and nobody holds a package lock, twice in a row; prints what it waits
 * for, a line each.
 */
export const awaitFirstBoot = (seconds: number): string => `
end=$(($(date +%s) + ${Math.ceil(seconds)}))
late() { [ "$(date +%s)" -ge $end ]; }
if command -v cloud-init >/dev/null 2>&1; then
  echo 'cloud-init'
  timeout ${Math.ceil(seconds)} cloud-init status --wait >/dev/null 2>&1 || true
fi
${heldShell()}
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
