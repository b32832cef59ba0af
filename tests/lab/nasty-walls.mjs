/** Pages of nasty-site.mjs that are in the way of robots, and one that only looks so. */

/** Walls against robots as they are known, in words of our own: title, body, status, headers. */
export const WALLS = {
  cloudflare: [
    'Just a moment...',
    '<h1>one.example</h1><p>Checking that the connection is safe.</p><div id="challenge-stage"></div>' +
      '<script src="/cdn-cgi/challenge-platform/h/b/orchestrate/chl_page/v1"></script>',
    { status: 403, 'cf-mitigated': 'challenge' },
  ],
  attention: [
    'Attention Required! | Cloudflare',
    '<h1>You cannot come in</h1><div class="cf-error-details">Your address is on a list.</div>',
    { status: 403 },
  ],
  akamai: [
    'Access Denied',
    '<h1>Access Denied</h1><p>You may not see "http&#58;&#47;&#47;one&#46;example" here.</p><p>Reference&#32;&#35;18&#46;7a1</p>',
    { status: 403 },
  ],
  human: [
    'One more step',
    '<h1>Please verify you are human</h1><p>Press the button to go on.</p><button>I am</button>',
    { status: 200 },
  ],
  robot: [
    'Robot check',
    '<p>Type the characters you see in this picture, so that we know you are not a robot.</p><form action="/validateCaptcha"><input name="field"></form>',
    { status: 200 },
  ],
  perimeterx: [
    'Access to this page has been denied',
    '<h1>Press &amp; Hold to confirm that you are a human</h1><div id="px-captcha"></div>',
    { status: 403 },
  ],
  datadome: [
    'one.example',
    '<p id="cmsg">Enable JavaScript and switch off your ad blocker</p>' +
      '<iframe src="https://geo.captcha-delivery.com/captcha/?cid=1" width="100%" height="100%"></iframe>',
    { status: 403 },
  ],
  traffic: [
    'one.example',
    '<p>Our systems have met unusual traffic from your computer network. This page checks that it is really you.</p>' +
      '<form id="captcha-form" action="/sorry/index"></form>',
    { status: 429 },
  ],
};

const frame = (source) => `<iframe src="${source}" style="width:100vw;height:100vh;border:0"></iframe>`;
/** Pages that are a captcha and nothing else. */
export const CAPTCHAS = {
  hcaptcha: frame('https://newassets.hcaptcha.com/captcha/v1/1/static/hcaptcha.html#frame=challenge'),
  recaptcha: frame('https://www.google.com/recaptcha/api2/anchor?k=1'),
  turnstile: frame('https://challenges.cloudflare.com/cdn-cgi/challenge-platform/h/g/turnstile/if/ov2/1'),
};

/** An innocent page, with a captcha beside its form. */
export const login = (text) =>
  `<header>One example</header><main><h1>Sign in</h1>${text.repeat(20)}<form><label>Name <input name="user"></label>` +
  '<label>Password <input type="password"></label><div class="g-recaptcha" data-sitekey="1"></div>' +
  '<iframe src="https://www.google.com/recaptcha/api2/anchor?k=1" width="304" height="78"></iframe>' +
  '<button>Sign in</button></form></main>';
