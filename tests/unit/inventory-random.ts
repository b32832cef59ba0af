/** Random inventories and host patterns, made of pieces that people write. */
import fc from 'fast-check';

const word = fc.constantFrom('a', 'b', 'c', 'w1', 'w2', 'w3', 'x.y', '192.0.2.1', '2001:db8::1');
const range = fc.constantFrom(
  'w[1:3]',
  'w[01:02]',
  '[a:c]',
  'w[1:5:2]',
  'w[:2]',
  'w[1:2].[a:b]',
  '192.0.2.[1:2]',
);
const value = fc.constantFrom(
  ...[
    '1',
    'v',
    '"v w"',
    "'q'",
    '',
    'True',
    '"a#b"',
    '0x1f',
    '007',
    '1.5',
    '{{x}}',
    '-3',
    '"5"',
    'a=b',
    '[1,2]',
  ],
  ...['"it\'s"', '1_0', 'None', 'é', '"1 # 2"', '"\'x\' # y"', '\\"z\\"', 'x\\ y'],
);
const key = fc.constantFrom('k', 'l', 'ansible_host', 'ansible_port');
const pair = fc.tuple(key, value).map(([name, text]) => `${name}=${text}`);
const comment = fc.constantFrom('', '', '', ' # note', '#note', '\t');
const group = fc.constantFrom('vpn', 'comp', 'g', 'h-h', 'all', 'ungrouped', 'a');
const host = fc
  .tuple(
    fc.oneof(word, word, range),
    fc.constantFrom('', '', '', ':22', ':2222'),
    fc.array(pair, { maxLength: 2 }),
    comment,
  )
  .map(([name, port, pairs, end]) => [name + port, ...pairs].join(' ') + end);
const line = fc.oneof(
  { weight: 6, arbitrary: host },
  { weight: 4, arbitrary: fc.tuple(group, comment).map(([name, end]) => `[${name}]${end}`) },
  { weight: 2, arbitrary: group.map((name) => `[${name}:children]`) },
  { weight: 3, arbitrary: fc.tuple(group, comment).map(([name, end]) => name + end) },
  { weight: 2, arbitrary: group.map((name) => `[${name}:vars]`) },
  {
    weight: 3,
    arbitrary: fc.tuple(key, value, comment).map(([name, text, end]) => `${name} = ${text}${end}`),
  },
  { weight: 1, arbitrary: group.map((name) => `[${name}:vars]\nansible_group_priority=9`) },
  { weight: 1, arbitrary: fc.constantFrom('', '  ', '; c', '# d', '\t# e') },
);
/** Sections with lines that fit, and now and then one that does not. */
const section = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.tuple(
      group.map((name) => `[${name}]`),
      fc.array(host, { maxLength: 4 }),
    ),
  },
  {
    weight: 2,
    arbitrary: fc.tuple(
      group.map((name) => `[${name}:children]`),
      fc.array(group, { maxLength: 2 }),
    ),
  },
  {
    weight: 2,
    arbitrary: fc.tuple(
      group.map((name) => `[${name}:vars]`),
      fc.array(
        fc.tuple(key, value).map(([name, text]) => `${name}=${text}`),
        { maxLength: 2 },
      ),
    ),
  },
  { weight: 1, arbitrary: fc.tuple(fc.constant(''), fc.array(line, { maxLength: 3 })) },
);
export const randomInventory = fc
  .tuple(fc.array(section, { minLength: 1, maxLength: 6 }), fc.constantFrom('\n', '\n', '\r\n'))
  .map(([sections, end]) => sections.flatMap(([head, lines]) => [head, ...lines]).join(end));

const name = fc.constantFrom(
  ...[
    'vpn',
    'eu',
    'us',
    'comp',
    'web1',
    'web4',
    'web5',
    'c',
    'stray',
    'web*',
    '*',
    'all',
    '~web[1-4]',
    '~.*s$',
    'w?b[1-5]',
  ],
  ...['db-1*', 'eu[0]', 'us[1:2]', 'vpn[-1]', 'web-old', 'old', 'x', 'empty', 'un*', '*.example.org'],
);
const part = fc.tuple(fc.constantFrom('', '', '!', '&'), name).map(([sign, text]) => sign + text);
export const randomPattern = fc
  .tuple(fc.array(part, { minLength: 1, maxLength: 4 }), fc.constantFrom(':', ','))
  .map(([parts, between]) => parts.join(between));
