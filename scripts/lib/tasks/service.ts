import { type Change, single, type Task } from '../runner/task.ts';
import { SERVER_KEY } from './key-pair.ts';
import { NAT_FILE } from './nat.ts';

/**
 * Whether it is enabled is said by the link that enabling makes, unless another file of that unit takes precedence: then
 * systemctl is asked. Not its `show`: that is as slow as two questions, and what it says of links is kept from when it
 * first looked.
 */
const PROBE = `
wants=/etc/systemd/system/multi-user.target.wants/wg-quick@wg0.service
enabled=no
[ -L $wants ] && [ $wants -ef /usr/lib/systemd/system/wg-quick@.service ] && enabled=yes
for unit in /etc/systemd/system*/wg-quick@.service /etc/systemd/system*/wg-quick@wg0.service \\
  /run/systemd/*/wg-quick@.service /run/systemd/*/wg-quick@wg0.service; do
  if [ -e "$unit" ] || [ -L "$unit" ]; then enabled=no; fi
done
if [ $enabled = yes ]; then echo enabled; else systemctl is-enabled wg-quick@wg0 2>/dev/null || true; fi
systemctl is-active wg-quick@wg0 2>/dev/null || true
if [ -d /sys/class/net/wg0 ]; then echo up; else echo down; fi`;

/** What systemd said, when it could not start the service. */
const orSay = (command: string): string =>
  `${command} || { systemctl --no-pager --lines=10 status wg-quick@wg0 >&2; exit 1; }`;

/**
 * An interface that somebody raised by hand is in the service's way and goes first; not one that the service itself is
 * about to raise, as after a reboot: that start is waited for. In the end the interface is there, or it is a failure.
 */
const START = `
case "$(systemctl is-active wg-quick@wg0 || true)" in
  inactive | failed | unknown) ip link delete wg0 2>/dev/null || true ;;
esac
systemctl reset-failed wg-quick@wg0 2>/dev/null || true
${orSay('systemctl start wg-quick@wg0')}
[ -d /sys/class/net/wg0 ] || { echo 'wg-quick@wg0 runs, but there is no wg0' >&2; exit 1; }`;

/** Without these it cannot come up, and systemd would say so in other words. */
const READY = `
lacks() {
  echo "$1" >&2
  echo 'next: run this without --tags, --skip-tags and --start-at-task' >&2
  exit 1
}
command -v wg-quick >/dev/null || lacks 'wireguard-tools is not installed yet'
[ -s ${SERVER_KEY} ] || lacks 'it has no key pair yet: there is no ${SERVER_KEY}'
for file in /etc/wireguard/wg0.conf ${NAT_FILE}; do
  [ -s $file ] || lacks "there is no $file yet"
done
`;

const ENABLE = 'systemctl enable -q wg-quick@wg0';

function change(enabled: boolean, active: boolean, up: boolean): Change | undefined {
  if (active && up) return enabled ? undefined : { line: 'enable wg-quick@wg0', shell: ENABLE };
  if (active) {
    const restart = orSay('systemctl restart wg-quick@wg0');
    return { line: 'restart wg-quick@wg0, its interface is gone', shell: `${READY}${ENABLE}\n${restart}` };
  }
  return {
    line: enabled ? 'start wg-quick@wg0' : 'enable and start wg-quick@wg0',
    shell: `${READY}${ENABLE}\n${START}`,
  };
}

/** wg-quick@wg0 is enabled at boot and runs, and its interface is there. */
export const wireguardService = <F>(): Task<F> => ({
  name: 'service wg-quick@wg0',
  tags: ['service'],
  probe: PROBE,
  judge: (seen) => {
    const words = seen.trim().split('\n');
    return single(change(words.includes('enabled'), words.includes('active'), words.includes('up')));
  },
});
