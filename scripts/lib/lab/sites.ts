/** The lab's web sites: their names, and the settings of the server and the resolver that answer to them. */
import { RESOLVER, SITE, twinOf } from './roles.ts';

/** Each site's folder under /site, with the names that it answers to. */
export const SITES = {
  www: ['www.example.org', 'example.org'],
  small: ['small.example.org'],
  many: ['many.example.org'],
  large: ['large.example.org'],
} as const;

export type SiteName = keyof typeof SITES;

export const SITE_NAMES: readonly string[] = Object.values(SITES).flat();

/** Bytes a second at which the large file comes, where the tunnels carry as many. */
const LARGE_RATE = '20m';

/** The files of `many` that a server would have to think about, by the end of their names, in seconds. */
const DELAYS = { '3.png': 0.1, '7.png': 0.2, '5.js': 0.15 };

const delayed = ([end, delay]: [string, number]): string =>
  `location ~ ${end.replace('.', '\\.')}$ { echo_sleep ${delay}; echo_exec @file; }`;

const SPECIAL: Partial<Record<SiteName, string[]>> = {
  www: ['location = /ip { default_type text/plain; return 200 "$remote_addr\\n"; }'],
  many: [...Object.entries(DELAYS).map(delayed), 'location @file { }'],
  large: [`location = /large.png { limit_rate ${LARGE_RATE}; }`],
};

const listenLines = (site: SiteName, address: string): string[] => {
  const first = site === 'www' ? ' default_server' : '';
  return [`listen ${address}:80${first};`, `listen ${address}:443 ssl${first};`];
};

const server = (site: SiteName, ipv6: boolean): string => `
  server {
    ${[SITE, ...(ipv6 ? [`[${twinOf(SITE)}]`] : [])].flatMap((address) => listenLines(site, address)).join('\n    ')}
    http2 on;
    server_name ${SITES[site].join(' ')};
    root /site/${site};${(SPECIAL[site] ?? []).map((line) => `\n    ${line}`).join('')}
  }`;

/**
 * nginx.conf; a line of the access log is: Unix time, address, method, path, status, bytes of the body, scheme,
 * HTTP's version, name.
 */
export const nginxConf = (
  ipv6 = false,
): string => `load_module /usr/lib/nginx/modules/ngx_http_echo_module.so;
daemon off;
user www-data;
worker_processes 1;
pid /run/nginx.pid;
error_log stderr;
events {}
http {
  include /etc/nginx/mime.types;
  default_type application/octet-stream;
  charset utf-8;
  log_format lab '$msec $remote_addr $request_method $request_uri $status $body_bytes_sent $scheme $server_protocol $host';
  access_log /site/access.log lab;
  sendfile on;
  ssl_certificate /site/tls/site.crt;
  ssl_certificate_key /site/tls/site.key;
${(Object.keys(SITES) as SiteName[]).map((site) => server(site, ipv6)).join('\n')}
}
`;

/** dnsmasq's command line. */
export const resolverWords = (ipv6 = false): string[] => [
  ...['dnsmasq', '--keep-in-foreground', '--conf-file=/dev/null', '--user=root', '--no-hosts', '--no-resolv'],
  ...['--bind-interfaces', `--listen-address=${RESOLVER}`, '--except-interface=lo'],
  ...(ipv6 ? [`--listen-address=${twinOf(RESOLVER)}`] : []),
  ...[`--host-record=${SITE_NAMES.join(',')},${SITE}${ipv6 ? `,${twinOf(SITE)}` : ''}`, '--local=/#/'],
  ...['--log-queries', '--log-facility=/site/dns.log'],
];
