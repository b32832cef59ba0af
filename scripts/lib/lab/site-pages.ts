/** What the lab's web sites hold: the same bytes every time. */
import { NO_ICON, numbers, type Page, page, picture, script, sheet, sizeOf, style } from './page-parts.ts';
import { quicPages as quic } from './quic-pages.ts';
import type { SiteName } from './sites.ts';

const www = (): Page[] => [
  [
    'index.html',
    page(
      'CoMPS lab',
      [],
      [
        "<p>This site stands at the far end of the lab's network.</p>",
        '<ul>',
        '<li><a href="/ip">/ip</a>: the address that your request came from</li>',
        '<li><a href="/1m">/1m</a>, <a href="/10m">/10m</a>, <a href="/100m">/100m</a>: files of 1, 10 and 100 MiB</li>',
        '<li><a href="https://small.example.org/">small</a>, <a href="https://many.example.org/">many</a>,',
        '<a href="https://large.example.org/">large</a>: pages of 5 kB, of 60 files, and of 8 MB</li>',
        '</ul>',
      ],
    ),
  ],
];

const WORDS =
  'A page of a few lines and one style sheet, as a test of what little traffic looks like on several paths. ';

const small = (): Page[] => [
  ['index.html', page('Small', [NO_ICON, sheet('small.css')], [`<p class="small">${WORDS.repeat(20)}</p>`])],
  ['small.css', style('small', 1500)],
];

/** Its parts: 4 style sheets, 8 scripts, 48 pictures. */
function many(): Page[] {
  const styles = numbers(4).map((n): Page => [`style${n}.css`, style(`style${n}`, sizeOf(n) / 2)]);
  const scripts = numbers(8).map((n): Page => [`script${n}.js`, script(`script${n}`, sizeOf(n + 10))]);
  const pictures = numbers(48).map(
    (n): Page => [`picture${n}.png`, picture(`many ${n}`, Math.round(Math.sqrt(sizeOf(n))))],
  );
  const html = page(
    'Many',
    [
      NO_ICON,
      ...styles.map(([path]) => sheet(path)),
      ...scripts.slice(0, 4).map(([path]) => `<script src="/${path}"></script>`),
    ],
    [
      ...pictures.map(([path]) => `<img src="/${path}" alt="${path}">`),
      ...scripts.slice(4).map(([path]) => `<script async src="/${path}"></script>`),
    ],
  );
  return [['index.html', html], ...styles, ...scripts, ...pictures];
}

/** The side of a picture of 8 MB. */
const LARGE = 2828;

const large = (): Page[] => [
  ['index.html', page('Large', [NO_ICON], ['<img src="/large.png" alt="noise" width="400" height="400">'])],
  ['large.png', picture('large', LARGE)],
];

/** All files of a site but those that are mere holes. */
export const pagesOf = (site: SiteName): Page[] => ({ www, small, many, large, quic })[site]();
