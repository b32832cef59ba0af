import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isEmpty, readable, wallIn } from '../../client/scripts/lib/collect/wall.ts';

const page = (body: string, head = ''): string =>
  `<!DOCTYPE html><html lang="en"><head><title>x</title>${head}</head><body>${body}</body></html>`;
/** As much to read as an article has. */
const ARTICLE = `<article>${'<p>Words that somebody wrote for somebody else to read.</p>'.repeat(60)}</article>`;
const RECAPTCHA =
  '<script src="https://www.google.com/recaptcha/api.js"></script><div class="g-recaptcha"></div>';
const HCAPTCHA = '<iframe src="https://newassets.hcaptcha.com/captcha/v1/x"></iframe>';

interface Row {
  status?: number;
  title?: string;
  source: string;
}

const walls: [string, Row, RegExp][] = [
  [
    'Cloudflare’s challenge',
    {
      ...{ status: 403, title: 'Just a moment...' },
      source: page(
        '<div id="cf-wrapper"></div>',
        "<script>(function(){window._cf_chl_opt={cvId:'3'}})()</script>",
      ),
    },
    /Cloudflare/,
  ],
  [
    'Cloudflare’s challenge, by its script',
    { source: page('<script src="/cdn-cgi/challenge-platform/h/b/orchestrate/chl_page/v1"></script>') },
    /Cloudflare/,
  ],
  ['Cloudflare’s old form', { source: page('<form id="challenge-form" action="/"></form>') }, /Cloudflare/],
  [
    'DataDome',
    {
      status: 403,
      source: page('<iframe src="https://geo.captcha-delivery.com/captcha/?cid=1"></iframe>'),
    },
    /DataDome/,
  ],
  ['PerimeterX', { status: 403, source: page(`<div id="px-captcha"></div>${ARTICLE}`) }, /PerimeterX/],
  [
    'PerimeterX, by its scripts',
    { source: page('', "<script>window._pxAppId='PX1';load('px-captcha')</script>") },
    /PerimeterX/,
  ],
  [
    'Imperva',
    { source: page('<iframe src="/_Incapsula_Resource?CWUDNSAI=9&SWUDNSAI=1&incident_id=4"></iframe>') },
    /Imperva/,
  ],
  ['Imperva’s refusal', { source: page('Request unsuccessful. Incapsula incident ID: 4-2') }, /Imperva/],
  [
    'AWS WAF',
    {
      status: 202,
      source: page('<div id="challenge-container"></div><script>AwsWafIntegration.get()</script>'),
    },
    /AWS/,
  ],
  [
    'Google’s',
    { status: 429, source: page('<form id="captcha-form" action="index" method="post"></form>') },
    /Google/,
  ],
  [
    'Google’s, the other way round',
    { source: page('<form action="/sorry/index" method="post" id="captcha-form"></form>') },
    /Google/,
  ],
  ['a title', { title: 'Attention Required! | Cloudflare', source: page('Ray') }, /^its title is "Atte/],
  [
    'a title with blanks',
    { title: ' Access denied ', source: page('No.') },
    /^its title is "Access denied"$/,
  ],
  ['a title of its own', { title: 'Pardon Our Interruption…', source: page('No.') }, /^its title/],
  ['few words', { source: page('<h1>Verify you are human</h1>') }, /^it says "Verify you are human"/],
  [
    'few words, split by markup',
    { source: page('<b>Verify</b> <i>that you</i>&nbsp;are <br> a human') },
    /it says/,
  ],
  [
    'more words, and a captcha',
    { source: page(`<p>${'Why is this? '.repeat(30)}unusual traffic</p>${HCAPTCHA}`) },
    /^it says "unusual traffic"/,
  ],
  [
    'more words, and a refusal',
    { status: 429, source: page(`<p>${'Why is this? '.repeat(30)}unusual traffic</p>`) },
    /^it says/,
  ],
  ['a captcha alone', { source: page(`<form>${RECAPTCHA}<input type="submit"></form>`) }, /nothing else/],
  [
    'a captcha with hidden fields',
    { source: page(`${HCAPTCHA}<input name="t" type="hidden">`) },
    /nothing else/,
  ],
];
for (const [what, { status = 200, title = 'x', source }, expected] of walls)
  test(`a wall: ${what}`, () =>
    assert.match(wallIn({ http_status: status, title, source }) ?? 'none', expected));

const innocents: [string, Row][] = [
  ['an article', { source: page(ARTICLE) }],
  [
    'a long article about captchas',
    {
      title: 'Are you a robot? A history of the captcha',
      source: page(`<p>Please verify you are human; unusual traffic; access denied.</p>${ARTICLE}`),
    },
  ],
  [
    'an article with a wall’s very title',
    { title: 'Security check', source: page(`${ARTICLE}<p>not a robot</p>`) },
  ],
  [
    'a login form with a captcha',
    {
      title: 'Log in',
      source: page(
        `<form><input type="text" name="user"><input type="password">${RECAPTCHA}<button>Log in</button></form>`,
      ),
    },
  ],
  ['an article with a captcha in its comment form', { source: page(`${ARTICLE}${RECAPTCHA}`) }],
  [
    'a shop where some text says access denied',
    { source: page(`${ARTICLE}<div>Access denied to the members’ area</div>${ARTICLE}`) },
  ],
  ['a short page of a person', { title: 'Ann', source: page('<h1>Ann</h1><p>I like boats.</p>') }],
  ['a short page with “just a moment” in it', { title: 'Ann', source: page('Just a moment ago.') }],
  ['a page that was not found', { status: 404, title: 'Not Found', source: page('<h1>Not Found</h1>') }],
  ['a refusal without a wall', { status: 403, title: 'Members', source: page('For members only.') }],
  [
    'a wall’s words of a length between, and nothing else of a wall',
    { source: page(`<p>${'Why is this? '.repeat(30)}unusual traffic</p>`) },
  ],
  ['a wall’s words in a script', { source: page('Hello', '<script>say("verify you are human")</script>') }],
  ['a wall’s words in a comment', { source: page('Hello<!-- verify you are human -->') }],
  ['Cloudflare’s harmless script', { source: page(`${ARTICLE}<script src="/cdn-cgi/x.js"></script>`) }],
  ['PerimeterX’s script without a wall', { source: page(`${ARTICLE}<script>_pxAppId=1</script>`) }],
  ['the name of PerimeterX’s wall in a text', { source: page(`${ARTICLE}<p>px-captcha</p>`) }],
  ['AWS WAF’s script without a wall', { source: page(`${ARTICLE}<script>AwsWafIntegration</script>`) }],
  ['the name of AWS WAF’s wall in a text', { source: page(`${ARTICLE}captcha-container`) }],
  ['an empty document', { title: '', source: page('') }],
  ['nothing', { title: '', source: '' }],
  // What is beyond is text that a person could read.
  ['a large page', { title: 'Access denied', source: page(`not a robot${' '.repeat(300_000)}`) }],
];
for (const [what, { status = 200, title = 'x', source }] of innocents)
  test(`no wall: ${what}`, () => assert.equal(wallIn({ http_status: status, title, source }), undefined));

const empties: [string, boolean, string][] = [
  ['nothing', true, ''],
  ['what Chromium makes of nothing', true, '<html><head></head><body></body></html>'],
  ['a title alone', true, page('')],
  ['blanks', true, page(' \n&nbsp;\t<br><p> </p>\u00a0')],
  ['a comment', true, page('<!-- <p>text</p> -->')],
  ['a script', true, page('<script>document.write("<p>text</p>")</script><style>p{}</style>')],
  ['attributes on the body', true, page('').replace('<body>', '<body class="a" data-x="1">')],
  ['text', false, page('a')],
  ['an image', false, page('<IMG src="a.png">')],
  ['a frame', false, page('<iframe src="/a"></iframe>')],
  ['a drawing', false, page('<canvas></canvas>')],
  ['a button', false, page('<button></button>')],
  ['text after a script that is closed', false, page('<script></script >text')],
  ['a picture in the head', true, page('', '<svg></svg>')],
  ['frames', false, '<html><head></head><frameset><frame src="/a"></frameset></html>'],
  ['a text without markup', false, 'text'],
];
for (const [what, empty, source] of empties)
  test(`${empty ? 'empty' : 'not empty'}: ${what}`, () => assert.equal(isEmpty(source), empty));

test('what a person could read', () => {
  assert.equal(
    readable(page('<p>One&nbsp;and\n <b>two</b></p><!-- no --> <script>no</script>')),
    'One and two',
  );
  assert.equal(readable('<template><p>no</p></template><noscript>no</noscript>yes'), 'yes');
  assert.equal(readable('<header>yes</header>'), 'yes');
  assert.equal(readable('yes<script>no<p>no'), 'yes');
  assert.equal(readable('yes<!-- no > no'), 'yes');
  assert.equal(readable('yes<a href="no'), 'yes');
  assert.equal(readable('<script>"<!--"</script>yes<script>"-->"</script>'), 'yes');
});

// Each of them took seconds, or for ever, where a pattern looks for its end from every beginning anew.
const HOSTILE = [
  ...['<', '<!--', '<script', '<script>', '<script></', '</script ', '<style>', '<body', '<body>', '<input '],
  ...['_pxAppId ', 'AwsWafIntegration ', '_Incapsula_Resource', 'action="index"', 'id="captcha-form" '],
  ...['google.com/recaptcha/<input ', '&nbsp;', ' ', 'verify that ', 'checking ', 'a'],
];
for (const piece of HOSTILE)
  test(`a page of ${JSON.stringify(piece)} over and over comes to its end`, () => {
    const source = piece.repeat(Math.ceil(200_000 / piece.length)).slice(0, 200_000);
    assert.equal(typeof isEmpty(source.repeat(5)), 'boolean');
    assert.ok(readable(source).length <= source.length);
    for (const title of ['', `attention required!${source}`])
      assert.ok(['string', 'undefined'].includes(typeof wallIn({ http_status: 403, title, source })));
  });
