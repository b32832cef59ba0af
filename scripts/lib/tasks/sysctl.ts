import type { Change, Task } from '../runner/task.ts';
import type { HostFacts } from './facts.ts';
import { file } from './file.ts';

const PATH = '/etc/sysctl.d/99-comps.conf';

/** A kernel parameter by its path below /proc/sys, as an interface's name may have dots: `net/ipv4/ip_forward`. */
export type Setting = readonly [path: string, value: string];

const FORWARD: Setting = ['net/ipv4/ip_forward', '1'];
const FORWARD_IPV6: Setting = ['net/ipv6/conf/all/forwarding', '1'];

/** What a server's kernel is to do: forward, and IPv6 as well where it carries that. */
export function settingsFor(ipv6: boolean, facts: HostFacts): Setting[] {
  if (!ipv6) return [FORWARD];
  // First: a kernel that forwards gives up a default route that a router has advertised, unless it is told to keep it.
  const keep: Setting[] = (facts.acceptRa ?? '0') === '0' ? [] : [[acceptRaOf(facts), '2']];
  return [FORWARD, ...keep, FORWARD_IPV6];
}

const acceptRaOf = ({ egress6 }: HostFacts): string => `net/ipv6/conf/${egress6}/accept_ra`;

/** As people write it, where no part has a dot of its own. */
const keyOf = (path: string): string => (path.includes('.') ? path : path.replaceAll('/', '.'));

const text = (settings: readonly Setting[]): string =>
  `# Written by scripts/wgnet-setup.ts.\n${settings.map(([path, value]) => `${keyOf(path)} = ${value}\n`).join('')}`;

const change = (path: string, value: string, lines: readonly string[]): Change => {
  const is = lines.find((line) => line.startsWith(`${path} `))?.slice(path.length + 1);
  return {
    line: `set ${keyOf(path)} to ${value}`,
    shell: `echo ${value} >/proc/sys/${path}`,
    diff: { path: `/proc/sys/${path}`, before: is === undefined ? '' : `${is}\n`, after: `${value}\n` },
  };
};

// Whether IPv6 is forwarded because an earlier run asked for it is what the file says.
// One program: a shell's own `read` takes a byte at a time, and of a number in /proc/sys it gets the first digit only.
const PROBE = `
IFS='
'
set -f
ours=
for line in $(grep -aHs -e '^-*[0-9]' -e '^net\\.ipv6\\.' /proc/sys/${FORWARD[0]} /proc/sys/${FORWARD_IPV6[0]} ${PATH}); do
  case $line in
    /proc/sys/*) line=\${line#/proc/sys/}; echo "\${line%%:*} \${line#*:}" ;;
    ${PATH}:net.ipv6.*) ours=yes ;;
  esac
done
[ -z "$ours" ] || echo ours`;

/** The server forwards now, and after a reboot: two tasks, both read live. `ipv6`: IPv6 as well. */
export const forwarding = (ipv6: boolean): Task<HostFacts>[] => [
  {
    name: 'forwarding now',
    tags: ['forwarding'],
    probe: PROBE,
    judge: (seen, facts) => {
      const lines = [...seen.trim().split('\n'), `${acceptRaOf(facts)} ${facts.acceptRa}`];
      const wanted = settingsFor(ipv6, facts).filter(([path, value]) => !lines.includes(`${path} ${value}`));
      const given = !ipv6 && lines.includes('ours') && lines.includes(FORWARD_IPV6.join(' '));
      return {
        changes: [
          ...wanted.map(([path, value]) => change(path, value, lines)),
          ...(given ? [change(FORWARD_IPV6[0], '0', lines)] : []),
        ],
      };
    },
  },
  // Behind it: where a run is cut off in between, the file still tells what was asked for.
  file('forwarding at boot', {
    tags: ['forwarding', 'files'],
    path: PATH,
    mode: '644',
    text: (facts) => text(settingsFor(ipv6, facts)),
  }),
];
