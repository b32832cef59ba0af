/** What is done with each of OpenSSH's options and flags that an inventory hands to ssh. */

/** Options that are honoured here, by their names in small letters. */
export const HONOURED = [
  'proxyjump',
  'proxycommand',
  'stricthostkeychecking',
  'identityfile',
  'port',
  'user',
] as const;
export type Honoured = (typeof HONOURED)[number];

/** Options that change nothing of what is done over one connection by key; they are passed over. */
const HARMLESS = new Set(
  [
    'controlmaster controlpersist controlpath',
    'serveraliveinterval serveralivecountmax tcpkeepalive connecttimeout connectionattempts',
    'compression ipqos rekeylimit loglevel batchmode requestty escapechar visualhostkey fingerprinthash',
    'forwardagent forwardx11 forwardx11trusted clearallforwardings exitonforwardfailure streamlocalbindunlink',
    'passwordauthentication kbdinteractiveauthentication challengeresponseauthentication numberofpasswordprompts',
    'gssapiauthentication gssapidelegatecredentials identitiesonly addkeystoagent',
    'checkhostip hashknownhosts updatehostkeys verifyhostkeydns nohostauthenticationforlocalhost',
    'globalknownhostsfile sendenv setenv',
  ].flatMap((words) => words.split(' ')),
);

/** Options that are harmless with some values; `next` is for all others. */
const LIMITED: readonly { names: readonly string[]; harmless: RegExp; next: string }[] = [
  {
    names: ['userknownhostsfile'],
    // Keys that are to be forgotten are kept all the same, in the project's own file.
    harmless: /^(?:\/dev\/null|none|~\/\.ssh\/known_hosts2?)$/,
    next: 'host keys are looked up in known_hosts beside the inventory and in ~/.ssh/known_hosts: add the lines to one of them',
  },
  {
    names: ['preferredauthentications'],
    harmless: /publickey/,
    next: 'log in by key: take the option out',
  },
  {
    names: ['pubkeyauthentication'],
    harmless: /^(?:yes|true)$/,
    next: 'log in by key: take the option out',
  },
  {
    names: ['addressfamily'],
    harmless: /^(?:any|inet)$/,
    next: 'write the IPv6 address as ansible_host',
  },
  {
    names: [
      'hostkeyalgorithms',
      'pubkeyacceptedalgorithms',
      'pubkeyacceptedkeytypes',
      'casignaturealgorithms',
    ],
    harmless: /^\+/,
    next: 'the algorithms are those of the SSH library: take the option out',
  },
  {
    names: ['kexalgorithms', 'ciphers', 'macs'],
    harmless: /^\+/,
    next: 'the algorithms are those of the SSH library: take the option out',
  },
];

/** What is done with an option: `next` is there where it is refused. */
export function judgeOption(
  name: string,
  value: string,
): { use: Honoured } | { use: 'nothing' } | { next: string } {
  const low = name.toLowerCase();
  const honoured = HONOURED.find((one) => one === low);
  if (honoured !== undefined) return { use: honoured };
  if (HARMLESS.has(low)) return { use: 'nothing' };
  const limit = LIMITED.find(({ names }) => names.includes(low));
  if (limit === undefined)
    return {
      next: 'take it out; what is needed to reach the host may stand in ~/.ssh/config',
    };
  return limit.harmless.test(value) ? { use: 'nothing' } : { next: limit.next };
}

interface Flag {
  /** Whether a word goes with it. */
  takes?: true;
  /** The option that it stands for, or `-W` and `-o` themselves; none where it is passed over. */
  as?: 'ProxyJump' | 'IdentityFile' | 'Port' | 'User' | 'o' | 'W';
  /** It is refused, and this is what to do. */
  next?: string;
}

const passed = (letters: string, takes?: true): [string, Flag][] =>
  [...letters].map((letter) => [letter, takes ? { takes } : {}]);
const refused = (letters: string, next: string, takes?: true): [string, Flag][] =>
  [...letters].map((letter) => [letter, { next, ...(takes && { takes }) }]);

/** ssh's flags by their letters. */
export const FLAGS: ReadonlyMap<string, Flag> = new Map<string, Flag>([
  ['J', { takes: true, as: 'ProxyJump' }],
  ['i', { takes: true, as: 'IdentityFile' }],
  ['p', { takes: true, as: 'Port' }],
  ['l', { takes: true, as: 'User' }],
  ['o', { takes: true, as: 'o' }],
  ['W', { takes: true, as: 'W' }],
  ...passed('qvTtxXYaACnKkyM4'),
  ...passed('eES', true),
  ...refused('6', 'write the IPv6 address as ansible_host'),
  ...refused('F', 'only ~/.ssh/config and /etc/ssh/ssh_config are read: put the options there', true),
  ...refused('LRDw', 'nothing is forwarded here: take it out', true),
  ...refused('NfgsGV', 'take it out'),
  ...refused('bBcmIQOP', 'take it out', true),
]);
