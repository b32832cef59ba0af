/** The lab's web site: its files and its nginx.conf, which the machine `inet` sees under /site. */
import { join } from 'node:path';
import { makeDirectory, setMode, writeText } from '../files.ts';
import { run } from '../transport/local.ts';
import { SITE_NAMES } from './machine.ts';
import { SITE } from './roles.ts';

const PAGE = `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>CoMPS lab</title></head>
<body>
<h1>CoMPS lab</h1>
<p>This site stands at the far end of the lab's network.</p>
<ul>
<li><a href="/ip">/ip</a>: the address that your request came from</li>
<li><a href="/1m">/1m</a>, <a href="/10m">/10m</a>, <a href="/100m">/100m</a>: files of 1, 10 and 100 MiB</li>
</ul>
</body>
</html>
`;

/** nginx.conf; a line of the access log is: Unix time, address, method, path, status, bytes of the body. */
const NGINX = `daemon off;
user www-data;
worker_processes 1;
pid /run/nginx.pid;
error_log stderr;
events {}
http {
  include /etc/nginx/mime.types;
  default_type application/octet-stream;
  log_format lab '$msec $remote_addr $request_method $request_uri $status $body_bytes_sent';
  access_log /site/access.log lab;
  sendfile on;
  server {
    listen ${SITE}:80 default_server;
    server_name ${SITE_NAMES.join(' ')};
    root /site/www;
    location = /ip { default_type text/plain; return 200 "$remote_addr\\n"; }
  }
}
`;

/** Makes the site's folder; the big files are holes, so they cost no disk. */
export async function makeSite(folder: string): Promise<void> {
  const pages = join(folder, 'www');
  for (const each of [folder, pages]) {
    makeDirectory(each);
    setMode(each, 0o755);
  }
  writeText(join(folder, 'nginx.conf'), NGINX);
  writeText(join(pages, 'index.html'), PAGE);
  for (const size of ['1', '10', '100']) await run(['truncate', '-s', `${size}M`, join(pages, `${size}m`)]);
}
