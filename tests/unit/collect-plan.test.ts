import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import fc from 'fast-check';
import { backOff, plan, visitSeed } from '../../client/scripts/lib/collect/plan.ts';
import { readUrls } from '../../client/scripts/lib/collect/urls.ts';
import type { Fault } from '../../client/scripts/lib/fault.ts';

const A = 'https://a.example/';
const B = 'http://b.example/x?y=ü#z';

const refused = (text: string): Fault => {
  try {
    readUrls(text, 'urls.txt');
  } catch (error) {
    return error as Fault;
  }
  return assert.fail(`taken: ${JSON.stringify(text)}`);
};

for (const [what, text] of [
  ['as it is written here', `${A}\n${B}\n`],
  ['without a last newline', `${A}\n${B}`],
  ['with a byte order mark', `\ufeff${A}\n${B}\n`],
  ['with lines as on Windows', `${A}\r\n${B}\r\n`],
  ['with blanks around, blank lines and comments', `\n # no\n  ${A}\t\n\n#${A}\n \n${B} \n`],
] as const)
  test(`a list of URLs ${what}`, () => {
    assert.deepEqual(readUrls(text, 'urls.txt'), { urls: [A, B], notices: [] });
  });

test('a URL that comes twice is visited as one, and the second line is told', () => {
  const { urls, notices } = readUrls(`${B}\n${A}\n\n${B}\nhttps://a.example\n`, 'urls.txt');
  assert.deepEqual(urls, [B, A]);
  assert.deepEqual(notices, [
    `urls.txt:4: ${B} is there already (line 1); --visits says how often each is visited`,
    'urls.txt:5: https://a.example is there already (line 2); --visits says how often each is visited',
  ]);
});

const table: [string, RegExp][] = [
  ['www.example.org', /has no scheme; is it https:\/\/www\.example\.org\?$/],
  ['example.org:8080/x', /has no scheme; is it https:\/\/example\.org:8080\/x\?$/],
  ['localhost:80', /has no scheme; is it https:\/\/localhost:80\?$/],
  ['//example.org/x', /has no scheme; is it https:\/\/example\.org\/x\?$/],
  ['192.0.2.1', /has no scheme; is it https:\/\/192\.0\.2\.1\?$/],
  ['example', /is no URL$/],
  ['https://', /is no URL$/],
  ['https://example.org:99999/', /is no URL$/],
  [`${'a'.repeat(1e5)}.org`, /is no URL$/],
  ['https://a.example https://b.example', /has a blank or a control character in it$/],
  ['https://a.example/\u001b[2J', /has a blank or a control character in it$/],
  ['https://a.example/\u0000', /has a blank or a control character in it$/],
  ['https://a.example/\ufffd', /is not written in UTF-8$/],
  ['ftp://example.org/', /begins with ftp:, and only http and https pages are visited$/],
  ['file:///etc/passwd', /begins with file:/],
  ['javascript:alert(1)', /begins with javascript:/],
  ['password:x', /begins with password:/],
];
for (const [line, said] of table)
  test(`no URL: ${JSON.stringify(line.slice(0, 60))}`, () => {
    const { message, next, name, code } = refused(`${A}\r\n\r\n${line}\r\n`);
    assert.equal(name, 'Fault');
    assert.equal(code, 1);
    assert.match(message, said);
    assert.ok(message.startsWith(`urls.txt:3: ${JSON.stringify(line.slice(0, 200))} `), message);
    assert.match(next ?? '', /one address a line/);
    assert.ok(message.length < 600);
    assert.doesNotMatch(message, /\p{Cc}/u);
  });

test('what has a user name or password in it is refused, and never repeated', () => {
  const lines = [
    'https://SECRET@example.org/',
    'https://user:SECRET@example.org/',
    'https://:SECRET@example.org/',
    'https://user:SECRET@example.org/ x',
    'https://user:SECRET@example.org:99999/',
    'https://user:SEC/RET@example.org',
    'ftp://user:SECRET@example.org/',
    'user:SECRET@example.org',
    'SECRET@example.org',
    '//user:SECRET@example.org',
    'user:SECRET@example.org:80/x y',
  ];
  for (const line of lines) {
    const { message, next } = refused(line);
    assert.doesNotMatch(`${message}${next}`, /SEC|RET/, line);
    assert.match(message, /^urls\.txt:1: /);
  }
  for (const line of lines.slice(0, 3)) assert.match(refused(line).message, /a user name or password/);
  assert.deepEqual(readUrls('https://a.example/@name', 'x').urls, ['https://a.example/@name']);
});

test('of many wrong lines five are told, each with its number, and how many more there are', () => {
  const { message } = refused(Array.from({ length: 12 }, (_, i) => `bad${i}`).join('\n'));
  const lines = message.split('\n').map((line) => line.trim());
  assert.deepEqual(lines, [
    ...[1, 2, 3, 4, 5].map((n) => `urls.txt:${n}: "bad${n - 1}" is no URL`),
    'and 7 more',
  ]);
  assert.doesNotMatch(refused('1\n2\n3\n4\n5').message, /more/);
});

for (const text of ['', '\n', '\ufeff\r\n# https://a.example/\r\n'])
  test(`there is no URL: ${JSON.stringify(text)}`, () => {
    assert.equal(refused(text).message, 'urls.txt: there is no URL');
  });

test('whatever the lines, those taken are pages, each once', () => {
  const line = fc.oneof(fc.string(), fc.webUrl(), fc.constantFrom(A, B, '#', '', 'https://'));
  fc.assert(
    fc.property(fc.array(line, { maxLength: 5 }), (lines) => {
      try {
        const { urls } = readUrls(lines.join('\n'), 'x');
        assert.equal(new Set(urls.map((url) => new URL(url).href)).size, urls.length);
        for (const url of urls) assert.match(new URL(url).protocol, /^https?:$/);
      } catch (error) {
        assert.equal((error as Error).name, 'Fault', String(error));
      }
    }),
  );
});

test('a seed of a visit is what it always was', () => {
  // int.from_bytes(hashlib.sha256('42 https://www.example.org/ 0'.encode()).digest()[:8], 'big') >> 11
  assert.equal(visitSeed(42, 'https://www.example.org/', 0), 142307120322509);
  assert.equal(visitSeed(42, 'https://www.example.org/', 1), 4349789377456144);
  assert.equal(visitSeed(0, 'http://ü.example/', 7), 7124951644867302);
  assert.equal(visitSeed(Number.MAX_SAFE_INTEGER, 'https://www.example.org/', 0), 4336556400736035);
});

test('a seed of a visit is one that migrate.ts takes, and no two are alike', () => {
  const seen = new Set<number>();
  let made = 0;
  fc.assert(
    fc.property(fc.maxSafeNat(), fc.webUrl(), (seed, url) => {
      for (const instance of [0, 1, 2]) {
        const found = visitSeed(seed, url, instance);
        assert.ok(Number.isSafeInteger(found) && found >= 0);
        seen.add(found);
        made++;
      }
    }),
    { numRuns: 200, seed: 1 },
  );
  assert.ok(made === 600 && seen.size > 590, `${seen.size} of ${made}`);
});

test('a plan takes each URL in turn, then each again', () => {
  const visits = plan([A, B], 2, 42);
  assert.deepEqual(
    visits.map(({ visit, label, instance, url }) => [visit, label, instance, url]),
    [
      ['0000-0000', 0, 0, A],
      ['0001-0000', 1, 0, B],
      ['0000-0001', 0, 1, A],
      ['0001-0001', 1, 1, B],
    ],
  );
  for (const { seed, url, instance } of visits) assert.equal(seed, visitSeed(42, url, instance));
  assert.deepEqual(plan([], 3, 1), []);
});

test('the seeds of a URL’s visits depend on no other URL, on no order and on no number of visits', () => {
  const seeds = (urls: string[], visits: number, url: string) =>
    plan(urls, visits, 7)
      .filter((visit) => visit.url === url)
      .map(({ seed }) => seed);
  assert.deepEqual(seeds([A, B, 'https://c.example'], 3, A), seeds([B, A], 3, A));
  assert.deepEqual(seeds([A], 5, A).slice(0, 3), seeds([A, B], 3, A));
  assert.equal(new Set([...seeds([A, B], 3, A), ...seeds([A, B], 3, B)]).size, 6);
});

test('seconds before an attempt: twice as long each time, a minute at most', () => {
  assert.deepEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 100, 5000].map(backOff), [
    ...[0, 0, 1, 2, 4, 8, 16, 32, 60, 60, 60, 60],
  ]);
});

test('the version that records have is the project’s', () => {
  const version = (path: string): string => JSON.parse(readFileSync(path, 'utf8')).version;
  assert.equal(version('client/scripts/package.json'), version('package.json'));
  assert.match(version('package.json'), /^\d+\.\d+\.\d+$/);
});
