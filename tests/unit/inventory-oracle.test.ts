/** Our reading of inventories against that of Debian's Ansible: every file of tests/inventories, and random ones. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import fc from 'fast-check';
import { Fault } from '../../scripts/lib/cli.ts';
import { limitOf } from '../../scripts/lib/inventory.ts';
import { type Answer, ask, differences, isOrdered, type Question, type Read } from './inventory-oracle.ts';
import { randomInventory, randomPattern } from './inventory-random.ts';

const FOLDER = new URL('../inventories/', import.meta.url);

/** What Ansible takes and we refuse, with what the message says of it. */
const REFUSED: Record<string, RegExp> = {
  'refused-empty': /names no host and no group/,
  'refused-comments-only': /names no host and no group/,
  'refused-range-backwards': /has the range \[3:1\], whose end comes before its start/,
  'refused-range-case': /has the range \[y:B\]: two numbers or two letters of one case were expected/,
  'refused-range-words': /has the range \[ab:cd\]: two numbers or two letters of one case/,
  'refused-range-huge': /stands for more than 1024 hosts/,
  'refused-name': /"a;reboot" is no host name or address/,
  'refused-name-option': /"-oProxyCommand=x" is no host name or address/,
  'refused-name-unicode': /is no host name or address/,
  'refused-name-zone': /"fe80::1%eth0" is no host name or address/,
  'refused-name-port': /"a:ssh" has a port that is no number/,
  'refused-name-space': /is no host name or address/,
  'refused-name-and-port': /is no host name before its port/,
  'refused-other-port': /gives \S+ port \d+, and line \d+ gives another or none/,
  'refused-key': /word \d is no key=value/,
  'refused-key-vars': /key=value was expected in \[/,
  'refused-priority': /ansible_group_priority must be a whole number/,
  'refused-ungrouped-child': /ungrouped is put below /,
  'refused-name-of-group': /gives variables to \S+, and Ansible would give them to the group of that name/,
  'refused-all-like-group': /\[all\] has the host \w+, and there is a group of that name/,
  'refused-host-all': /names a host \w+, which is a group that is always there/,
  'refused-control': /holds control characters/,
  'refused-line-separator': /holds a line or page separator/,
  'refused-form-feed': /holds a line or page separator/,
};

/** Taken here, and refused by Ansible: no harm is in it, and editors on Windows write it. */
const TAKEN = ['byte-order-mark'];

const files = readdirSync(FOLDER)
  .filter((name) => name.endsWith('.ini'))
  .map((name): Question => ({ name: name.slice(0, -4), text: readFileSync(new URL(name, FOLDER), 'utf8') }));

// ORACLE_RUNS and ORACLE_SEED: more of them, or the same ones again.
const RUNS = Number(process.env.ORACLE_RUNS ?? 150);
const seed = Number(process.env.ORACLE_SEED ?? Date.now() % 2 ** 31);
const samples = fc
  .sample(randomInventory, { numRuns: RUNS, seed })
  .map((text, i): Question => ({ name: `${i} of seed ${seed}`, text }));

/** Groups one below the other and beside each other, and hosts whose names are near those of groups. */
const LIMITED = `stray
[vpn:children]
eu
us
[eu]
web[1:5]
db-1.example.org
[us]
web[4:7]
2001:db8::1
192.0.2.7
[comp]
c
[empty]
[web-old]
web1
old
[dup]
dup
x
`;

const PATTERNS = [
  ...['vpn', 'comp', 'all', '*', 'web1', 'stray', 'ungrouped', 'eu:us', 'eu,us', 'us,eu', 'eu:&us', 'eu:!us'],
  ...[
    '!vpn',
    '&vpn',
    '!vpn:&all',
    '!eu,us',
    'vpn:&us:!web6',
    'web*',
    'web?',
    'web*,!web-old',
    'w*:!*-old',
    '*.org',
  ],
  ...[
    '~web[1-3]',
    '~(eu|us)$',
    '~^w',
    '~.*7',
    '!~web[45]',
    '(?i)WEB1',
    '~(?i)WEB1',
    'web[!1]x',
    'web[12]*',
    '*[1-3]',
  ],
  ...[
    'vpn[0]',
    'vpn[-1]',
    'eu[1:2]',
    'eu[1:]',
    'eu[0:0]',
    'us[2-3]',
    'vpn[99]',
    'vpn[90:99]',
    'vpn[-99]',
    '*[0]',
    'web*[2]',
  ],
  ...[
    '2001:db8::1',
    '192.0.2.7',
    '192.0.2.*',
    '2001:db8::1,c',
    '!2001:db8::1,us',
    'db-1.example.org',
    'db-1*',
  ],
  ...[
    'empty',
    'vpn:!empty',
    'eu:&comp',
    'nobody',
    'eu:nobody',
    '!nobody',
    'web9',
    'web[1:3]',
    'web1:22',
    'dup',
    'dup:web1',
  ],
  ...[
    ' eu , us ',
    'eu us',
    'eu,,us',
    'eu::us',
    'web-old[1]',
    'us[0]:comp',
    'us[0:1]:!web4',
    'VPN',
    'localhost',
    '!eu[0],vpn',
  ],
];
const limits: Question[] = [
  {
    name: 'limits',
    text: LIMITED,
    limits: [...PATTERNS, ...fc.sample(randomPattern, { numRuns: RUNS, seed })],
  },
];

const asked = ask([...files, ...samples, ...limits]);
const answersOf = async (questions: readonly Question[]): Promise<{ answers: Answer[]; read: Read }> => {
  const { answers, read } = await asked;
  const names = new Set(questions.map(({ name }) => name));
  return { answers: answers.filter(({ name }) => names.has(name)), read };
};

test('every file is read as Ansible reads it, and refused where Ansible refuses it', async () => {
  const { answers, read } = await answersOf(files);
  const refused = new Set(Object.keys(REFUSED));
  for (const { name, ours, theirs, text } of answers) {
    const expected = REFUSED[name];
    refused.delete(name);
    if (TAKEN.includes(name)) {
      assert.ok('refused' in theirs && !(ours instanceof Fault), `${name} is no exception any more`);
      continue;
    }
    if (ours instanceof Fault) {
      if (expected !== undefined) {
        assert.ok(!('refused' in theirs), `${name}: Ansible refuses it too: ${JSON.stringify(theirs)}`);
        assert.match(ours.message, expected, name);
      } else assert.ok('refused' in theirs, `${name}: refused, and Ansible takes it: ${ours.message}`);
      assert.ok(ours.next, `${name}: no next step`);
      continue;
    }
    assert.equal(expected, undefined, `${name} is taken`);
    assert.ok(
      !('refused' in theirs),
      `${name}: taken, and Ansible refuses it: ${JSON.stringify(theirs)}\n${text}`,
    );
    assert.deepEqual(differences(ours, theirs, read), [], name);
  }
  assert.deepEqual([...refused], [], 'a file for each');
});

test('random inventories are read as Ansible reads them', async () => {
  const { answers, read } = await answersOf(samples);
  let taken = 0;
  for (const { name, ours, theirs, text } of answers) {
    const where = `${name}\n${text}\n${JSON.stringify(theirs)}`;
    if (ours instanceof Fault) {
      const known = Object.values(REFUSED).some((message) => message.test(ours.message));
      assert.ok('refused' in theirs || known, `refused: ${ours.message}\n${where}`);
      continue;
    }
    taken++;
    assert.ok(!('refused' in theirs), `taken\n${where}`);
    assert.deepEqual(differences(ours, theirs, read), [], where);
  }
  assert.ok(taken > RUNS / 10, `only ${taken} of ${RUNS} were taken`);
});

/** A part that is nobody's: Ansible only warns of it, and we refuse it. */
const NOBODY = /Could not match supplied host pattern/;

test('--limit leaves the hosts that Ansible leaves', async () => {
  const [answer] = (await answersOf(limits)).answers;
  assert.ok(answer !== undefined && !('refused' in answer.theirs) && !(answer.ours instanceof Fault));
  const { ours, theirs } = answer;
  assert.ok(isOrdered(ours, 'us'));
  const tally = { same: 0, refused: 0 };
  for (const [pattern, left] of Object.entries(theirs.limits)) {
    const nothing =
      'refused' in left || left.hosts.length === 0 || left.warnings.some((said) => NOBODY.test(said));
    let found: string[];
    try {
      found = limitOf(ours, pattern);
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      assert.ok(nothing, `${pattern}: ${error.message}; Ansible: ${JSON.stringify(left)}; seed ${seed}`);
      assert.ok(error.next, pattern);
      tally.refused++;
      continue;
    }
    assert.ok(!nothing, `${pattern} leaves ${found}; Ansible: ${JSON.stringify(left)}; seed ${seed}`);
    assert.deepEqual([...found].sort(), [...left.hosts].sort(), `${pattern}, seed ${seed}`);
    tally.same++;
  }
  assert.ok(tally.same > 60 && tally.refused > 10, JSON.stringify(tally));
});
