/**
 * Pages that stand in for the page: bot walls, captchas, refusals. A heuristic over what such pages are publicly known
 * to look like; it looks for the wall's own machinery, not for a captcha in a form, which ordinary pages have too:
 * a name counts only on a page with next to nothing else to read. README lists what it knows.
 */

export interface PageText {
  /** HTTP status of the page. */
  http_status: number | null;
  title: string;
  /** The document as the browser has it. */
  source: string;
}

/**
 * The whole page is the wall's, whatever else is on it, where all of a row's patterns are there. None looks far from
 * where it begins, here and below: a page may repeat any beginning a hundred thousand times.
 */
const WALLS: [string, ...RegExp[]][] = [
  [
    'Cloudflare challenge',
    /\/cdn-cgi\/challenge-platform\/(h\/[bg]\/)?orchestrate\/|window\._cf_chl_opt|id="challenge-(form|running|error-text)"/i,
  ],
  ['DataDome', /\bgeo\.captcha-delivery\.com\/(captcha|interstitial)/i],
  ['PerimeterX', /\bid="px-captcha"/i],
  ['PerimeterX', /\b_pxAppId\b/i, /\bpx-captcha\b/i],
  ['Imperva', /_Incapsula_Resource[^"']{0,300}(SWUDNSAI|incident_id)|Incapsula incident ID/i],
  ['AWS WAF', /\bAwsWafIntegration\b/i, /\b(challenge|captcha)-container\b/i],
  [
    'Google “unusual traffic”',
    /action="(?:\/sorry\/)?index"[^>]{0,300}id="captcha-form"|id="captcha-form"[^>]{0,300}action="(?:\/sorry\/)?index"/i,
  ],
];

/** Titles that only a wall has. */
const TITLES =
  /^\s*(just a moment(\.\.\.|…)?|attention required!.*|access (to this page has been )?denied|are you (a )?(human|robot)\??|(please )?verify(ing)? (that )?you are (a )?human.*|(robot|bot|human) (check|verification)|ddos[- ]guard|security check|pardon our interruption(\.\.\.|…)?|checking your browser.*|too many requests)\s*$/i;

/** Words that only a wall has little beside. */
const WORDS =
  /(verify|confirm|prove) (that )?you('re| are) (a )?human|are you a robot|not a robot|unusual (traffic|activity)|automated (access|requests|traffic)|enable javascript and cookies to continue|checking (if the site connection is secure|your browser before)|complete the (captcha|security check)|request (was |has been )?blocked|access (to this (page|site|resource) )?(is |has been |was )?denied/i;

/** A captcha's own machinery. */
const CAPTCHAS =
  /\b(hcaptcha\.com\/|google\.com\/recaptcha\/|recaptcha\.net\/|challenges\.cloudflare\.com\/|arkoselabs\.com|captcha-delivery\.com)/i;

/** Characters of readable text below which a page has next to nothing else to read. */
const LITTLE = 600;

/** What a person could read of a document, roughly. What is not closed lasts to the end, as in a browser. */
export const readable = (source: string): string =>
  source
    .replace(
      /<!--[\s\S]*?(-->|$)|<(script|style|noscript|template|head)\b[\s\S]*?(<\/\2\s*>|$)|<[^>]*(>|$)/gi,
      ' ',
    )
    .replace(/(&nbsp;|\s)+/g, ' ')
    .trim();

/** Characters of a document that are looked at: walls are small, and patterns are slow on megabytes. */
const LOOKED_AT = 200_000;

/** What kind of wall a page is, in words; undefined for an ordinary page. */
export function wallIn({ http_status, title, source }: PageText): string | undefined {
  const start = source.slice(0, LOOKED_AT);
  const wall = WALLS.find(([, ...patterns]) => patterns.every((pattern) => pattern.test(start)));
  if (wall !== undefined) return wall[0];
  const text = readable(start);
  const little = source.length <= LOOKED_AT && text.length < LITTLE;
  if (TITLES.test(title) && little) return `its title is ${JSON.stringify(title.trim())}`;
  if (!little) return undefined;
  const words = WORDS.exec(text)?.[0];
  if (words !== undefined && (CAPTCHAS.test(start) || refused(http_status) || text.length < LITTLE / 2))
    return `it says ${JSON.stringify(words)}`;
  // A captcha and nothing to fill in but it.
  if (CAPTCHAS.test(start) && !/<input\b(?![^>]{0,300}type=["']?(hidden|submit|checkbox))/i.test(start))
    return 'a captcha and nothing else';
  return undefined;
}

const refused = (status: number | null): boolean =>
  status !== null && [401, 403, 405, 429, 503].includes(status);

/** A document without anything in it: no element in its body that shows something, and no text. */
export function isEmpty(source: string): boolean {
  const body = source.slice(Math.max(0, source.search(/<body\b/i)));
  const shown = /<(img|picture|video|audio|canvas|svg|iframe|object|embed|input|button|frame)\b/i.test(body);
  return !shown && readable(body) === '';
}
