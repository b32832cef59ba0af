/**
 * A web site that does what no visit expects, for tests: `node nasty-site.mjs ADDRESS KEY CERTIFICATE`.
 * HTTP at port 8080, HTTPS at 8443 with a certificate that nobody knows. `/` lists what there is.
 */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer as createHttp } from 'node:http';
import { createServer as createHttps } from 'node:https';
import { hold } from './nasty-held.mjs';
import { CAPTCHAS, login, WALLS } from './nasty-walls.mjs';

const [address, keyFile, certificateFile] = process.argv.slice(2);

const send = (response, body, { status = 200, type = 'text/html; charset=utf-8', ...headers } = {}) =>
  response.writeHead(status, { 'content-type': type, ...headers }).end(body);

const page = (title, body, head = '') =>
  `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>${title}</title>` +
  `<link rel="icon" href="data:,">${head}</head><body>${body}</body></html>`;

const script = (text) => `<script>${text}</script>`;
const TEXT = '<p>A page with a few words on it, so that nobody takes it for an empty one.</p>';
const FILLER = `${'x'.repeat(1023)}\n`.repeat(64);

/** Writes for ever, as fast as it is read. */
function flood(response) {
  let open = true;
  const more = () => {
    while (open && response.write(FILLER));
  };
  response.on('drain', more).on('close', () => {
    open = false;
  });
  more();
}

/** Writes a line every 100 ms, for ever. */
function trickle(response) {
  const timer = setInterval(() => response.write('<p>and on</p>\n'), 100);
  response.on('close', () => clearInterval(timer));
}

const SOCKET = "new WebSocket(location.origin.replace('http', 'ws') + '/socket');";
const DIALOGS = { alert: "alert('a')", confirm: "confirm('c')", prompt: "prompt('p')", print: 'print()' };

/** What each path does; `query` is what stands behind it. */
const PATHS = {
  '/': ({ response }) =>
    send(
      response,
      page(
        'Nasty',
        Object.keys(PATHS)
          .map((path) => `<a href="${path}">${path}</a><br>`)
          .join(''),
      ),
    ),
  '/endless': ({ response, query }) => {
    response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' });
    response.write('<!doctype html><title>Endless</title>');
    if (query.has('fast')) flood(response);
    else trickle(response);
  },
  '/hang': () => {},
  '/hang-part': ({ response }) => send(response, page('Waits', `${TEXT}<img src="/hang" alt="">`)),
  '/hang-fetch': ({ response }) => send(response, page('Fetches', TEXT + script("fetch('/hang');"))),
  '/slow': ({ response, query }) =>
    setTimeout(() => send(response, page('Slow', TEXT)), Number(query.get('ms') ?? 1000)),
  '/slow-part': ({ response, query }) =>
    send(
      response,
      page('Slow part', `${TEXT}<img src="/slow?ms=${Number(query.get('ms') ?? 1000)}" alt="">`),
    ),
  '/held': ({ response, query }) =>
    send(response, page('Held', TEXT, `<link rel="stylesheet" href="/held-part?gate=${query.get('gate')}">`)),
  '/held-part': ({ response, query }) => hold(response, query.get('gate') ?? ''),
  '/download': ({ response }) =>
    send(response, FILLER, {
      type: 'application/zip',
      'content-disposition': 'attachment; filename="a.zip"',
    }),
  '/download-later': ({ response }) =>
    send(response, page('Downloads', TEXT + script("location = '/download';"))),
  '/binary': ({ response }) => send(response, Buffer.alloc(5000, 1), { type: 'application/octet-stream' }),
  '/text': ({ response }) => send(response, 'plain\n', { type: 'text/plain' }),
  '/redirect-away': ({ response }) =>
    send(response, '', { status: 302, location: 'http://www.example.org/' }),
  '/script-away': ({ response }) =>
    send(response, page('Moves', TEXT + script("location.replace('http://www.example.org/');"))),
  '/script-dead': ({ response }) =>
    send(
      response,
      page(
        'Leads on',
        TEXT + script("onload = () => setTimeout(() => location = 'http://203.0.113.80:1/', 100);"),
      ),
    ),
  '/script-nowhere': ({ response }) =>
    send(
      response,
      page(
        'Leads on',
        TEXT + script("onload = () => setTimeout(() => location = 'http://nowhere.example.org/', 100);"),
      ),
    ),
  '/shadow': ({ response }) =>
    send(
      response,
      page(
        'Shadow',
        '<my-app></my-app>' +
          script(
            "document.querySelector('my-app').attachShadow({ mode: 'open' }).innerHTML = '<h1>Here</h1>';",
          ),
      ),
    ),
  '/styled': ({ response }) =>
    send(response, page('Styled', '<div style="width:200px;height:90px;background:#036"></div>')),
  '/unstyled': ({ response }) =>
    send(response, page('Unstyled', '<div style="width:200px;height:90px"></div>')),
  '/plane-crashed': ({ request }) => request.socket.destroy(),
  '/redirect-nowhere': ({ response }) =>
    send(response, '', { status: 302, location: 'http://nowhere.example.org/' }),
  '/loop': ({ response, query }) =>
    send(response, '', { status: 302, location: `/loop?n=${Number(query.get('n') ?? 0) + 1}` }),
  '/meta-refresh': ({ response, query }) => {
    const to = query.has('self') ? '/meta-refresh?self' : '/unicode';
    send(response, page('Refresh', TEXT, `<meta http-equiv="refresh" content="0; url=${to}">`));
  },
  '/dialog': ({ response, query }) => {
    const kinds = query.has('kind') ? [query.get('kind')] : ['alert', 'confirm', 'prompt'];
    send(response, page('Dialog', TEXT + script(kinds.map((kind) => DIALOGS[kind]).join(';'))));
  },
  '/beforeunload': ({ response }) =>
    send(
      response,
      page(
        'Stays',
        TEXT + script('onbeforeunload = (e) => { e.preventDefault(); return e.returnValue = "stay"; };'),
      ),
    ),
  '/popup': ({ response }) => send(response, page('Popup', TEXT + script("open('/unicode');"))),
  '/auth': ({ response }) =>
    send(response, page('Who?', TEXT), { status: 401, 'www-authenticate': 'Basic realm="nasty"' }),
  '/empty': ({ response }) => send(response, ''),
  '/empty-body': ({ response }) => send(response, page('Empty', '')),
  '/blank-204': ({ response }) => response.writeHead(204).end(),
  '/404': ({ response }) => send(response, page('Not found', TEXT), { status: 404 }),
  '/500': ({ response }) => send(response, page('Broken', TEXT), { status: 500 }),
  '/captcha': ({ response, query }) =>
    send(response, page('one.example', CAPTCHAS[query.get('kind') ?? 'hcaptcha'] ?? '')),
  // `?status=200`: as walls are that do not admit it.
  '/botwall': ({ response, query }) => {
    const [title, body, options] = WALLS[query.get('kind') ?? 'cloudflare'] ?? WALLS.cloudflare;
    const status = Number(query.get('status') ?? options.status);
    send(response, page(title, body), { ...options, status });
  },
  // What the first visit leaves behind shows in the second.
  '/cookie': ({ request, response }) =>
    send(
      response,
      page(
        request.headers.cookie === undefined ? 'Unknown' : 'Known',
        TEXT +
          script(
            "if (localStorage.seen) document.title = 'Known'; localStorage.seen = 1; caches.open('seen');" +
              "document.cookie = 'script=1; max-age=9999';",
          ),
      ),
      { 'set-cookie': 'seen=1; max-age=9999', 'cache-control': 'max-age=9999' },
    ),
  '/login': ({ response }) => send(response, page('Sign in', login(TEXT))),
  '/article': ({ response }) =>
    send(
      response,
      page(
        'How captchas work',
        `<h1>Are you a robot? How captchas work</h1>${TEXT.repeat(60)}<p>“Just a moment...”, “Access denied” and “verify you are human” are what they say.</p>`,
      ),
    ),
  '/busy': ({ response }) => send(response, page('Busy', TEXT + script('for (;;);'))),
  '/busy-later': ({ response }) =>
    send(response, page('Busy later', TEXT + script('onload = () => setTimeout(() => { for (;;); }, 50);'))),
  '/websocket': ({ response }) => send(response, page('Socket', TEXT + script(SOCKET))),
  '/bad-charset': ({ response, query }) =>
    send(response, Buffer.from(`<title>Bad</title>${TEXT}\xff\xfe\xc3(\x80`, 'latin1'), {
      type: `text/html; charset=${query.has('unknown') ? 'nonsense' : 'utf-8'}`,
    }),
  '/unicode': ({ response }) =>
    send(
      response,
      page('Zeilen\u2028trenner 🦆', '<p>\u2028\u2029 🦆 𝔘 \u0000 "\\ é e\u0301 \u200f\u202e rtl</p>'),
    ),
  '/lone-surrogate': ({ response }) =>
    send(
      response,
      page('Half', TEXT + script("document.title = 'half \\ud83e'; document.body.append('\\udd86');")),
    ),
  '/big-dom': ({ response, query }) =>
    send(response, page('Big', '<div><b>b</b></div>\n'.repeat(Number(query.get('n') ?? 100_000)))),
  '/reset': ({ request }) => request.socket.resetAndDestroy(),
  '/close': ({ request }) => request.socket.destroy(),
  '/truncated': ({ request, response }) => {
    response.writeHead(200, { 'content-type': 'text/html', 'content-length': '100000' });
    response.write(page('Truncated', TEXT), () => request.socket.end());
  },
  '/nonsense': ({ request }) => request.socket.end('what is HTTP?\r\n\r\n'),
  '/iframe-cross': ({ response }) =>
    send(response, page('Frame', `${TEXT}<iframe src="http://many.example.org/"></iframe>`)),
  '/workers': ({ response }) =>
    send(
      response,
      page('Workers', TEXT + script("new Worker('/worker.js'); new SharedWorker('/worker.js');")),
    ),
  '/worker.js': ({ response }) =>
    send(response, "setInterval(() => fetch('/text'), 200);", { type: 'text/javascript' }),
  '/push-state': ({ response }) =>
    send(response, page('State', TEXT + script("history.pushState({}, '', '/elsewhere');"))),
};

function answer(request, response) {
  const { pathname, searchParams: query } = new URL(request.url, 'http://nasty');
  response.on('error', () => {});
  const serve = PATHS[pathname];
  if (serve === undefined) return send(response, page('Nothing here', TEXT), { status: 404 });
  serve({ request, response, query });
}

/** Accepts a web socket, and sends a word on it every 100 ms. */
function accept(request, socket) {
  const key = `${request.headers['sec-websocket-key']}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`;
  const accepted = createHash('sha1').update(key).digest('base64');
  socket.on('error', () => {});
  socket.write(
    `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accepted}\r\n\r\n`,
  );
  const timer = setInterval(() => socket.write(Buffer.from('\x81\x04word', 'latin1')), 100);
  socket.on('close', () => clearInterval(timer));
}

const pair = { key: readFileSync(keyFile), cert: readFileSync(certificateFile) };
for (const [server, port] of [
  [createHttp(answer), 8080],
  [createHttps(pair, answer), 8443],
])
  server
    .on('upgrade', accept)
    .on('clientError', (_, socket) => socket.destroy())
    .listen(port, address);
