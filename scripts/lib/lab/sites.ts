/** The lab's web sites: their names, and the settings of the server and the resolver that answer to them. */
import { isIPv6 } from 'node:net';
import { QUIC_SITE, RESOLVER, SITE, twinOf } from './roles.ts';

/** Each site's folder under /site, with the names that it answers to. */
export const SITES = {
  www: ['www.example.org', 'example.org'],
  small: ['small.example.org'],
  many: ['many.example.org'],
  large: ['large.example.org'],
  quic: ['quic.example.org'],
} as const;

export type SiteName = keyof typeof SITES;

export const SITE_NAMES: readonly string[] = Object.values(SITES).flat();
const QUIC_NAMES: readonly string[] = SITES.quic;

/** The addresses that a site is served from. That with HTTP/3 has no IPv6, as mode quic carries none. */
const addressesOf = (site: SiteName, ipv6: boolean): string[] =>
  site === 'quic' ? [QUIC_SITE] : [SITE, ...(ipv6 ? [twinOf(SITE)] : [])];

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
  // Where a browser is told of the same files by HTTP/3.
  quic: [`add_header Alt-Svc 'h3=":443"; ma=60';`],
};

const listenLines = (site: SiteName, address: string): string[] => {
  const first = site === 'www' ? ' default_server' : '';
  const host = isIPv6(address) ? `[${address}]` : address;
  return [`listen ${host}:80${first};`, `listen ${host}:443 ssl${first};`];
};

const server = (site: SiteName, ipv6: boolean): string => `
  server {
    ${addressesOf(site, ipv6)
      .flatMap((address) => listenLines(site, address))
      .join('\n    ')}
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
  // One for each machine that there would be: a name of its own for each address, asked backwards.
  `--host-record=${[...SITE_NAMES.filter((name) => !QUIC_NAMES.includes(name)), ...addressesOf('www', ipv6)].join(',')}`,
  `--host-record=${[...QUIC_NAMES, ...addressesOf('quic', ipv6)].join(',')}`,
  '--local=/#/',
  ...['--log-queries', '--log-facility=/site/dns.log'],
];
