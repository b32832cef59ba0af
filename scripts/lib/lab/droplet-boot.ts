/** What a droplet of the lab's cloud is told at its first boot, as credentials of systemd; nothing here runs anything. */

/** The unit that does so. */
export const FIRST_BOOT = 'first-boot.service';

/** Seconds for which a new droplet works on its packages, as those of a provider do for minutes. */
const BUSY = 2;

// A lock of dpkg's kind is the process's own: it is not inherited, so the parent waits until its child has it.
const HOLD = [
  'pipe(R, W);',
  'if (fork) { close W; exit(read(R, $_, 1) != 1) }',
  'open(F, ">>", "/var/lib/dpkg/lock-frontend");',
  '$l = pack("s s l! l! i", F_WRLCK, 0, 0, 0, 0);',
  'fcntl(F, F_SETLK, $l) or exit 1;',
  'syswrite(W, "1");',
  `sleep ${BUSY}`,
].join(' ');

/** Holds dpkg's lock for a moment; it has it before SSH answers, so nobody who looks finds it free too soon. */
export const FIRST_BOOT_UNIT = `[Unit]
Description=Package work of the first boot
DefaultDependencies=no
After=local-fs.target
Before=ssh.service

[Service]
Type=forking
ExecStart=/usr/bin/perl -MFcntl -e '${HOLD}'
`;

/** Has the unit started. */
export const FIRST_BOOT_DROPIN = `[Unit]
Wants=${FIRST_BOOT}
`;

/** A host name made of a droplet's name, which may be longer than one, and may have dots where no host name has. */
export function hostNameFrom(name: string): string {
  const labels = name.split('.').map((label) => label.replace(/[^A-Za-z0-9-]/g, '').replace(/^-+|-+$/g, ''));
  const joined = labels.filter((label) => label !== '').join('.');
  return joined.slice(0, 64).replace(/[.-]+$/, '') || 'droplet';
}
