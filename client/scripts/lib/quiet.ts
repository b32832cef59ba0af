/** What Chromium is started with so that its only traffic is the page's own. What no flag ends, policies do (client/policies). */

/**
 * Features that ask for things by themselves: hints, media routers, translation, forms, guesses, the time, and
 * look-ups by HTTPS where the resolver is known to offer that. And http:// stays what was asked for.
 */
export const NO_FEATURES = [
  ...[
    'OptimizationHints',
    'MediaRouter',
    'DialMediaRouteProvider',
    'Translate',
    'AutofillServerCommunication',
  ],
  ...[
    'HttpsUpgrades',
    'NetworkTimeServiceQuerying',
    'DnsOverHttpsUpgrade',
    'LensOverlay',
    'InterestFeedContentSuggestions',
  ],
];

/** No updates, sign-in, reports, guesses. */
export const QUIET = [
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-default-apps',
  '--disable-domain-reliability',
  '--disable-extensions',
  '--disable-sync',
  // Where it would look for accounts to sign in with: nowhere.
  '--gaia-url=http://127.0.0.1:9',
  // Where it would register for messages, some seconds after its start: nowhere.
  '--gcm-checkin-url=http://127.0.0.1:9',
  '--gcm-mcs-endpoint=http://127.0.0.1:9',
  '--gcm-registration-url=http://127.0.0.1:9',
  '--metrics-recording-only',
  '--no-first-run',
  '--no-pings',
  // Whatever a variable or the system says: what comes by a proxy is no trace of the page.
  '--no-proxy-server',
];

/** Variables by which Chromium would go elsewhere, tell its keys, or take flags of somebody's. */
const NOT_OURS = /_proxy$|^(SOCKS_SERVER|SOCKS_VERSION|SSLKEYLOGFILE|CHROMIUM_FLAGS)$/i;

/** The environment that Chromium is started in, from this program's own. */
export const quietEnv = (env: NodeJS.ProcessEnv): NodeJS.ProcessEnv =>
  Object.fromEntries(Object.entries(env).filter(([name]) => !NOT_OURS.test(name)));
