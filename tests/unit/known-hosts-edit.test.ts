import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import {
  existsSync,
  lstatSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import fc from 'fast-check';
import { knownKeys } from '../../scripts/lib/transport/known-hosts.ts';
import { editKnownHosts, pin, unpin } from '../../scripts/lib/transport/known-hosts-edit.ts';

const folder = mkdtempSync(join(tmpdir(), 'comps-pins-'));
after(() => rmSync(folder, { recursive: true }));

const [OLD, NEW, ED] = ['AAAAold=', 'AAAA+new/', 'ssh-ed25519'];
const hashed = (name: string): string => {
  const salt = Buffer.alloc(20, 9);
  return `|1|${salt.toString('base64')}|${createHmac('sha1', salt).update(name).digest('base64')}`;
};
const put = (text: string, port = 22): string => {
  const one = { address: '192.0.2.1', port, type: ED, key: NEW, comment: 'wgnet1' };
  const result = pin(text, one);
  assert.equal(pin(result, one), result, 'a second time changes nothing');
  return result;
};
const LINE = `192.0.2.1 ${ED} ${NEW} wgnet1\n`;

const cases: [name: string, before: string, after: string][] = [
  ['an empty file', '', LINE],
  ['others', `192.0.2.2 ${ED} ${OLD}\n`, `192.0.2.2 ${ED} ${OLD}\n${LINE}`],
  ['no line end', `192.0.2.2 ${ED} ${OLD}`, `192.0.2.2 ${ED} ${OLD}\n${LINE}`],
  ['an old key', `192.0.2.1 ${ED} ${OLD} former\n# 192.0.2.1\n`, `# 192.0.2.1\n${LINE}`],
  ['keys of other types', `192.0.2.1 ssh-rsa ${OLD}\n192.0.2.1 ecdsa-sha2-nistp256 ${OLD}\n`, LINE],
  ['a line of several hosts', `x,192.0.2.1,y  ${ED} ${OLD}\r\n`, `x,y  ${ED} ${OLD}\r\n${LINE}`],
  ['the same name twice in a line', `192.0.2.1,192.0.2.1 ${ED} ${OLD}\n`, LINE],
  ['another port', `[192.0.2.1]:2222 ${ED} ${OLD}\n`, `[192.0.2.1]:2222 ${ED} ${OLD}\n${LINE}`],
  ['patterns of others too', `192.0.2.* ${ED} ${OLD}\n`, `192.0.2.* ${ED} ${OLD}\n${LINE}`],
  ['a longer address', `192.0.2.11 ${ED} ${OLD}\n`, `192.0.2.11 ${ED} ${OLD}\n${LINE}`],
  [
    'a hashed line',
    `${hashed('192.0.2.1')} ${ED} ${OLD}\n${hashed('x')} ${ED} ${OLD}\n`,
    `${hashed('x')} ${ED} ${OLD}\n${LINE}`,
  ],
  ['nothing but exceptions left', `192.0.2.1,!192.0.2.1 ${ED} ${OLD}\n`, LINE],
  [
    'revoked keys and authorities',
    `@revoked 192.0.2.1 ${ED} ${OLD}\n@cert-authority 192.0.2.1 ${ED} ${OLD}\n`,
    `@revoked 192.0.2.1 ${ED} ${OLD}\n@cert-authority 192.0.2.1 ${ED} ${OLD}\n${LINE}`,
  ],
  [
    'the same pin among others',
    `a ${ED} ${OLD}\n${LINE}b ${ED} ${OLD}\n192.0.2.1 ${ED} ${OLD}\n`,
    `a ${ED} ${OLD}\n${LINE}b ${ED} ${OLD}\n`,
  ],
  ['the same pin twice', LINE + LINE, LINE],
  ['lines that are none', '\n192.0.2.1\n192.0.2.1 x\n', `\n192.0.2.1\n192.0.2.1 x\n${LINE}`],
];
for (const [name, before, expected] of cases)
  test(`a pin: ${name}`, () => {
    assert.equal(put(before), expected);
  });

test('a pin of another port, of a name in capitals, and without a comment', () => {
  assert.equal(put('', 2222), `[192.0.2.1]:2222 ${ED} ${NEW} wgnet1\n`);
  assert.equal(put(`[192.0.2.1]:2222 ${ED} ${OLD}\n`, 2222), `[192.0.2.1]:2222 ${ED} ${NEW} wgnet1\n`);
  const one = { address: 'host.example', port: 22, type: ED, key: NEW };
  assert.equal(pin(`Host.Example ${ED} ${OLD}\n`, one), `host.example ${ED} ${NEW}\n`);
  assert.equal(pin('', { ...one, comment: 'a\nb c' }), `host.example ${ED} ${NEW} a b c\n`);
});

test('what would be two lines, or two hosts, is a defect', () => {
  const one = { address: '192.0.2.1', port: 22, type: ED, key: NEW };
  for (const wrong of [
    { address: 'a,b' },
    { key: `${NEW}\nx` },
    { key: '' },
    { type: 'a b' },
    { address: '#a' },
  ])
    assert.throws(() => pin('', { ...one, ...wrong }), { name: 'Error' });
});

test('a host without its keys, or without one of them', () => {
  const text = `a,192.0.2.1 ${ED} ${OLD}\n192.0.2.1 ${ED} ${NEW} # mine\nb ${ED} ${NEW}\n`;
  assert.equal(unpin(text, '192.0.2.1', 22), `a ${ED} ${OLD}\nb ${ED} ${NEW}\n`);
  assert.equal(unpin(text, '192.0.2.1', 22, NEW), `a,192.0.2.1 ${ED} ${OLD}\nb ${ED} ${NEW}\n`);
  assert.equal(unpin(text, '192.0.2.1', 2222), text);
  assert.equal(unpin('', '192.0.2.1', 22), '');
});

test('any file: only this key is known afterwards where no pattern says otherwise, and other hosts know theirs', () => {
  const host = fc.constantFrom(
    '192.0.2.1',
    '192.0.2.2',
    '[192.0.2.1]:2222',
    hashed('192.0.2.1'),
    hashed('192.0.2.2'),
  );
  const line = fc
    .tuple(
      fc.array(host, { minLength: 1, maxLength: 3 }),
      fc.constantFrom(OLD, NEW),
      fc.constantFrom('', ' c'),
    )
    .map(([hosts, key, comment]) => `${hosts.join(',')} ${ED} ${key}${comment}`);
  const text = fc
    .tuple(fc.array(fc.oneof(line, fc.constantFrom('', '# 192.0.2.1 x y'))), fc.constantFrom('', '\n'))
    .map(([lines, last]) => lines.join('\n') + last);
  const keysOf = (whole: string, address: string, port: number): string[] =>
    knownKeys(whole, 'f', address, port).map(({ key }) => key);
  fc.assert(
    fc.property(text, (before) => {
      const result = put(before);
      assert.deepEqual(keysOf(result, '192.0.2.1', 22), [NEW]);
      assert.deepEqual(keysOf(result, '192.0.2.1', 2222), keysOf(before, '192.0.2.1', 2222));
      assert.deepEqual(keysOf(result, '192.0.2.2', 22), keysOf(before, '192.0.2.2', 22));
      assert.deepEqual(keysOf(unpin(result, '192.0.2.1', 22), '192.0.2.1', 22), []);
    }),
  );
});

test('the file: made for its owner only, changed at once, left alone where nothing changes; a link stays one', () => {
  const file = join(folder, 'known_hosts');
  assert.equal(
    editKnownHosts(file, (text) => text),
    false,
  );
  assert.equal(existsSync(file), false);
  assert.equal(editKnownHosts(file, put), true);
  assert.equal(readFileSync(file, 'utf8'), LINE);
  assert.equal(statSync(file).mode & 0o777, 0o600);
  const { mtimeMs } = statSync(file);
  assert.equal(editKnownHosts(file, put), false);
  assert.equal(statSync(file).mtimeMs, mtimeMs);

  const link = join(folder, 'link');
  symlinkSync('known_hosts', link);
  writeFileSync(file, '');
  assert.equal(editKnownHosts(link, put), true);
  assert.ok(lstatSync(link).isSymbolicLink());
  assert.equal(readFileSync(file, 'utf8'), LINE);
  assert.deepEqual(readdirSync(folder).sort(), ['known_hosts', 'link']);
});
