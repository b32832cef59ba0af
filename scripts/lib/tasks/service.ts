import { type Change, single, type Task } from '../runner/task.ts';

const PROBE = `
systemctl is-enabled wg-quick@wg0 2>/dev/null || true
systemctl is-active wg-quick@wg0 2>/dev/null || true
if [ -d /sys/class/net/wg0 ]; then echo up; else echo down; fi`;

/** What systemd said, when it could not start the service. */
const orSay = (command: string): string =>
  `${command} || { systemctl --no-pager --lines=10 status wg-quick@wg0 >&2; exit 1; }`;

/** Starting is right when systemd thinks it stopped; an interface that somebody raised by hand is taken down first. */
function change(enabled: boolean, active: boolean, up: boolean): Change | undefined {
  if (active && up)
    return enabled ? undefined : { line: 'enable wg-quick@wg0', shell: 'systemctl enable -q wg-quick@wg0' };
  if (active)
    return {
      line: 'restart wg-quick@wg0, its interface is gone',
      shell: `systemctl enable -q wg-quick@wg0\n${orSay('systemctl restart wg-quick@wg0')}`,
    };
  const clear = up ? 'ip link delete wg0\n' : '';
  return {
    line: enabled ? 'start wg-quick@wg0' : 'enable and start wg-quick@wg0',
    shell: `${clear}systemctl reset-failed wg-quick@wg0 2>/dev/null || true\nsystemctl enable -q wg-quick@wg0\n${orSay('systemctl start wg-quick@wg0')}`,
  };
}

/** wg-quick@wg0 is enabled at boot and runs, and its interface is there. */
export const wireguardService = <F>(): Task<F> => ({
  name: 'service wg-quick@wg0',
  probe: PROBE,
  judge: (seen) => {
    const words = seen.trim().split('\n');
    return single(change(words.includes('enabled'), words.includes('active'), words.includes('up')));
  },
});
