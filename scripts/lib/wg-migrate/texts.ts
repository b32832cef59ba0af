/** The texts of the demo's files, all pure. */
import { fromTemplate } from '../template.ts';
import { type Plan, SITE_NAMES, WEBDRIVER_PORT } from './plan.ts';

/** Where `migrate.sh` on a terminal keeps its switch log. */
export const SWITCH_LOG = '/tmp/switches.jsonl';

export const TITLE = 'wg-migrate demo';

/** A text as a value in docker-compose.yml: quoted, and compose's own `$` doubled. */
const yaml = (text: string): string => JSON.stringify(text.replaceAll('$', '$$$$'));

/** Folders of the project, as docker-compose.yml is to name them. */
export interface ProjectFolders {
  /** With the Dockerfile. */
  client: string;
}

/** docker-compose.yml; `id` changes with the keys. */
export function composeFile(plan: Plan, id: string, { client }: ProjectFolders): string {
  const { access, transit, internet, outside, world } = plan.networks;
  return fromTemplate('wg-migrate/docker-compose.yml', {
    ...plan,
    id: yaml(id),
    machines: 5 + plan.paths,
    webdriver: WEBDRIVER_PORT,
    context: yaml(client),
    scripts: yaml(`${client}/scripts`),
    seccomp: yaml(`seccomp=${client}/seccomp.json`),
    closed: [
      { name: 'access', subnet: access },
      { name: 'transit', subnet: transit },
      { name: 'internet', subnet: internet },
    ],
    open: [
      { name: 'outside', who: 'the gate', subnet: outside },
      ...(plan.internet ? [{ name: 'world', who: 'the comp server', subnet: world }] : []),
    ],
  });
}

/** What a server runs. */
export const serverScript = (name: string): string => fromTemplate('wg-migrate/server.sh', { name });

/** What switches paths in the client. */
export const migrateScript = (): string => fromTemplate('wg-migrate/migrate.sh', { log: SWITCH_LOG });

/** What the browser's machine runs. */
export const browserScript = ({ gate }: Plan): string =>
  fromTemplate('wg-migrate/browser.sh', { gate, webdriver: WEBDRIVER_PORT });

/** The site's files, but for its keys. */
export const siteFiles = ({ site, comp, internet }: Plan): [name: string, text: string][] => [
  ['start.sh', fromTemplate('wg-migrate/site.sh', {})],
  ['nginx.conf', fromTemplate('wg-migrate/nginx.conf', { names: SITE_NAMES.join(' ') })],
  [
    'dnsmasq.conf',
    fromTemplate('wg-migrate/dnsmasq.conf', {
      names: SITE_NAMES.map((name) => ({ name, address: site })),
      upstream: internet && comp.internet,
    }),
  ],
  ['www/index.html', fromTemplate('wg-migrate/index.html', { title: TITLE, comp: comp.internet })],
];

/** Proxies and subnets that one docker-compose.yml has and the next has not: compose keeps them until told. */
export function goneFrom(before: string, after: string): string[] {
  const things = (text: string): string[] =>
    [...text.matchAll(/container_name: (wgnet\d+)|subnet: (\S+)/g)].map(
      ([, name, subnet]) => name ?? subnet ?? '',
    );
  const there = new Set(things(after));
  return things(before).filter((thing) => !there.has(thing));
}
