/** What the site with HTTP/3 holds. */
import { NO_ICON, numbers, type Page, page, picture, script, sheet, sizeOf, style } from './page-parts.ts';

/**
 * Fetches the file that the query names, `/get.html?10m` or `/get.html?folder/name`, and says what came. The page is loaded
 * only then: it has a frame whose document was begun, and is ended when all is done. `seconds`: from the request to its last byte.
 */
const GET = `
  const open = document.getElementById('open').contentDocument;
  open.open();
  const hex = (bytes) => [...new Uint8Array(bytes)].map((byte) => byte.toString(16).padStart(2, '0')).join('');
  const fetched = async (path) => {
    const began = performance.now();
    const answer = await fetch(path, { cache: 'no-store' });
    if (!answer.ok) throw new Error(path + ': ' + answer.status);
    const body = await answer.arrayBuffer();
    const seconds = (performance.now() - began) / 1000;
    const sha256 = hex(await crypto.subtle.digest('SHA-256', body));
    const [entry] = performance.getEntriesByName(answer.url);
    return { bytes: body.byteLength, sha256, seconds, protocol: entry?.nextHopProtocol };
  };
  fetched('/' + location.search.slice(1))
    .catch((error) => ({ error: error.message }))
    .then((result) => {
      document.getElementById('result').textContent = JSON.stringify(result);
      open.close();
    });
`;

const getPage = page(
  'Get',
  [NO_ICON],
  ['<pre id="result"></pre>', '<iframe id="open" hidden></iframe>', `<script>${GET}</script>`],
);

/** A page of 20 files, as a visit fetches it: 2 style sheets, 4 scripts, 14 pictures. */
function manyPages(): Page[] {
  const styles = numbers(2).map((n): Page => [`style${n}.css`, style(`style${n}`, sizeOf(n) / 2)]);
  const scripts = numbers(4).map((n): Page => [`script${n}.js`, script(`script${n}`, sizeOf(n + 2))]);
  const pictures = numbers(14).map(
    (n): Page => [`picture${n}.png`, picture(`quic ${n}`, Math.round(Math.sqrt(sizeOf(n + 6))))],
  );
  const html = page(
    'Many',
    [NO_ICON, ...styles.map(([path]) => sheet(path))],
    [
      ...pictures.map(([path]) => `<img src="/${path}" alt="${path}">`),
      ...scripts.map(([path]) => `<script async src="/${path}"></script>`),
    ],
  );
  return [['many.html', html], ...styles, ...scripts, ...pictures];
}

export const quicPages = (): Page[] => [
  [
    'index.html',
    page(
      'CoMPS lab, HTTP/3',
      [NO_ICON, sheet('small.css')],
      [
        '<p class="small">The server of this site follows a client whose address moves.</p>',
        '<ul>',
        '<li><a href="/many.html">/many.html</a>: a page of 20 files</li>',
        '<li>/get.html?NAME: fetches /NAME, and says its SHA-256 and how it came</li>',
        '</ul>',
      ],
    ),
  ],
  ['small.css', style('small', 1500)],
  ['get.html', getPage],
  ...manyPages(),
];
