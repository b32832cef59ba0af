/** The files of somebody who has an account at a lab's cloud; nothing here writes anything. */
import { quote } from '../shell.ts';
import { CLOUD_URL, KEY_ID, KEY_VARIABLE, TOKEN_VARIABLE } from './cloud-seat.ts';
import { RESOLVER } from './roles.ts';

export const environmentText = (token: string): string =>
  [`${TOKEN_VARIABLE}=${token}`, `${KEY_VARIABLE}=${KEY_ID}`, `DIGITALOCEAN_API_URL=${CLOUD_URL}`, ''].join(
    '\n',
  );

/** hosts.ini before there is any droplet. `key`: path of the private key. */
export const inventoryText = (key: string): string =>
  [
    "# Droplets of this lab's cloud: scripts/provision.ts writes them. Gone after scripts/lab.ts down.",
    '[vpn]',
    '',
    '[comp]',
    '',
    '[all:vars]',
    `ansible_ssh_private_key_file=${key}`,
    '',
  ].join('\n');

/** What the lab's machines really are; droplets of this image have WireGuard's packages installed. */
export const OWN_IMAGE = 'debian-13-x64';

/** config.cfg for three proxies and a comp server, in the lab of this name. Its tag is no other project's. */
export function settingsText(lab: string): string {
  const droplet = (name: string, region: string, image: string): string[] => [
    `  - name: ${name}`,
    `    region: ${region}`,
    `    image: ${image}`,
  ];
  return [
    "# For this lab's cloud. Written by scripts/lab.ts; gone after its `down`.",
    `# ${TOKEN_VARIABLE} and ${KEY_VARIABLE} are set by its \`exec\`, where the cloud runs.`,
    `token: $${TOKEN_VARIABLE}`,
    `ssh_key_id: $${KEY_VARIABLE}`,
    `tag: comps-lab-${lab}`,
    'wait_timeout: 120',
    'wireguard_subnet: 10.45.0',
    'wireguard_gateway_address: 10.45.0.2/32',
    'wireguard_port: 51820',
    `dns: ${RESOLVER}`,
    '# Whatever their image, they run Debian 13. Only those called so have WireGuard installed already, which is quicker.',
    'vpns:',
    ...droplet('wgnet1', 'nyc1', OWN_IMAGE),
    ...droplet('wgnet2', 'sfo3', OWN_IMAGE),
    ...droplet('wgnet3', 'ams3', 'ubuntu-24-04-x64'),
    'comps:',
    ...droplet('comp1', 'nyc1', OWN_IMAGE),
    '',
  ].join('\n');
}

/** How the account is used, for a person: title and command line. `exec`: what leads into the controller. */
export function usage(exec: string, files: { inventory: string; settings: string; output: string }) {
  const both = `-i ${quote(files.inventory)} -c ${quote(files.settings)}`;
  const out = `-o ${quote(files.output)}`;
  return [
    ['plan', `${exec} -- npx zx scripts/provision.ts ${both} --check`],
    ['make', `${exec} -- npx zx scripts/provision.ts ${both}`],
    ['set up', `${exec} -- npx zx scripts/wgnet-setup.ts ${both} ${out}`],
    ['both', `${exec} -- npx zx scripts/main.ts ${both} ${out}`],
    ['look in', `${exec} wgnet1 -- ip addr`],
    ['delete', `${exec} -- npx zx scripts/teardown.ts ${both}`],
  ] as const;
}
