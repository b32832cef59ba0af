/** The texts that a lab writes for the commands that work on it; nothing here writes anything. */
import { address6Of, addressOf, dropletsIn, RESOLVER, type Role, type Shape } from './roles.ts';

/**
 * hosts.ini: an Ansible inventory with the lab's droplets, by address. With `ipv6` the proxies by that; not the comp server,
 * to which the tunnels lead over IPv4.
 */
export function hostsIni(shape: Shape, key: string, ipv6 = false): string {
  const group = (name: 'vpn' | 'comp'): string => {
    const named = ipv6 && name === 'vpn' ? address6Of : addressOf;
    return [`[${name}]`, ...dropletsIn(shape, name).map(named), '', ''].join('\n');
  };
  return [
    '# The droplets of this lab. Written by scripts/lab.ts; gone after its `down`.',
    `${group('vpn')}${group('comp')}[all:vars]`,
    'ansible_user=root',
    `ansible_ssh_private_key_file=${key}`,
    '',
  ].join('\n');
}

/** config.cfg for a lab: the usual network, and the lab's own resolver. */
export function configCfg(shape: Shape): string {
  const droplets = (list: 'vpns' | 'comps', group: 'vpn' | 'comp'): string[] => {
    const roles = dropletsIn(shape, group);
    if (roles.length === 0) return [`${list}: []`];
    return [`${list}:`, ...roles.flatMap((role) => [`  - name: ${role}`, '    region: lab'])];
  };
  return [
    '# The settings of this lab. Written by scripts/lab.ts; gone after its `down`.',
    'wait_timeout: 60',
    'wireguard_subnet: 10.45.0',
    'wireguard_gateway_address: 10.45.0.2/32',
    'wireguard_port: 51820',
    `dns: ${RESOLVER}`,
    ...droplets('vpns', 'vpn'),
    ...droplets('comps', 'comp'),
    '',
  ].join('\n');
}

/** known_hosts: each droplet's address, with `ipv6` both of them, with its public host key. */
export const knownHosts = (keys: ReadonlyMap<Role, string>, ipv6 = false): string =>
  [...keys]
    .flatMap(([role, key]) =>
      [addressOf(role), ...(ipv6 ? [address6Of(role)] : [])].map(
        (address) => `${address} ${key.split(' ').slice(0, 2).join(' ')}\n`,
      ),
    )
    .join('');
