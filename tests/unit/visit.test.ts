import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import {
  type DevtoolsEvent,
  networkOf,
  pageUrl,
  screenshotName,
  timingOf,
  visitLines,
} from '../../client/scripts/lib/visit.ts';
import { runHere } from '../command.ts';

for (const [words, url] of [
  ['www.example.org', 'https://www.example.org/'],
  ['www.example.org:8443/a?b=c', 'https://www.example.org:8443/a?b=c'],
  ['http://www.example.org', 'http://www.example.org/'],
  ['HTTPS://Example.ORG/', 'https://example.org/'],
  ['192.0.2.1', 'https://192.0.2.1/'],
  ['[2001:db8::1]:444', 'https://[2001:db8::1]:444/'],
] as const)
  test(`${words} is ${url}`, () => assert.equal(pageUrl(words), url));

for (const words of [
  '',
  ' ',
  'a b',
  'ftp://example.org',
  'file:///etc/passwd',
  'chrome://sandbox',
  'https://',
  '://x',
])
  test(`"${words}" is not the address of a page`, () =>
    assert.throws(() => pageUrl(words), {
      message: /is not the address of a web page/,
      next: /open_website/,
    }));

test('a screenshot is named for the host', () => {
  assert.equal(screenshotName('https://www.example.org/a/b'), 'www.example.org.png');
  assert.equal(screenshotName('https://[2001:db8::1]:444/'), '_2001_db8__1__444.png');
});

test('times of a navigation: over TLS, and without', () => {
  const entry = {
    domainLookupStart: 1,
    domainLookupEnd: 3.14,
    connectStart: 4,
    secureConnectionStart: 6,
    connectEnd: 10,
    requestStart: 11,
    responseStart: 14,
    responseEnd: 15,
    loadEventEnd: 20,
  };
  assert.deepEqual(timingOf(entry), { dns: 2.1, connect: 2, tls: 4, firstByte: 3, document: 15, load: 20 });
  const plain = timingOf({ ...entry, secureConnectionStart: 0 });
  assert.deepEqual([plain.connect, plain.tls], [6, 0]);
});

const sent = (requestId: string, frameId = 'F', type = 'Document'): DevtoolsEvent => ({
  method: 'Network.requestWillBeSent',
  params: { requestId, frameId, type },
});
const answered = (requestId: string, status: number): DevtoolsEvent => ({
  method: 'Network.responseReceived',
  params: { requestId, response: { url: 'x', status, protocol: 'h2', remoteIPAddress: '10.0.0.1' } },
});
const finished = (requestId: string, encodedDataLength: number): DevtoolsEvent => ({
  method: 'Network.loadingFinished',
  params: { requestId, encodedDataLength },
});

test('the page’s own answer is told from those of its parts and frames; all bytes count', () => {
  const found = networkOf(
    [
      ...[sent('1'), answered('1', 200), finished('1', 500)],
      ...[sent('2', 'F', 'Image'), answered('2', 404), finished('2', 1000)],
      ...[sent('3', 'G'), answered('3', 500), finished('3', 7)],
    ],
    'F',
  );
  assert.deepEqual(found, {
    page: { status: 200, protocol: 'h2', address: '10.0.0.1' },
    error: undefined,
    requests: 3,
    bytes: 1507,
  });
});

test('a page that failed has the network’s own word for it', () => {
  const failed = {
    method: 'Network.loadingFailed',
    params: { requestId: '1', errorText: 'net::ERR_FAILED' },
  };
  assert.equal(networkOf([sent('1'), failed], 'F').error, 'net::ERR_FAILED');
  assert.equal(
    networkOf([sent('1'), answered('1', 200), { ...failed, params: { requestId: '9' } }], 'F').error,
    undefined,
  );
  assert.equal(networkOf([], 'F').page, undefined);
});

test('lines for a person', () => {
  const timing = { dns: 1, connect: 2, tls: 3, firstByte: 4, document: 5, load: 6 };
  const visit = { url: 'https://x/', title: '', status: 200, protocol: 'h2', address: '10.0.0.1', timing };
  const lines = visitLines({ ...visit, requests: 1, bytes: 1234567 }, undefined);
  assert.deepEqual(lines.slice(0, 3), [
    'title       (none)',
    'page        https://x/',
    'status      200 (h2, from 10.0.0.1)',
  ]);
  assert.equal(lines.at(-1), 'received    1.2 MB in 1 answer');
});

const folder = mkdtempSync(join(tmpdir(), 'comps-open-'));
const web = createServer((request, response) => response.end(`<p>${request.url}</p>`));
await new Promise<void>((resolve) => web.listen(0, '127.0.0.1', resolve));
const { port } = web.address() as { port: number };
after(() => {
  web.close();
  rmSync(folder, { recursive: true });
});

// A port that was free a moment ago, at an address that nobody else listens at.
const gone = createServer();
await new Promise<void>((resolve) => gone.listen(0, '127.0.0.77', resolve));
const NOBODY = `http://127.0.0.77:${(gone.address() as { port: number }).port}`;
gone.close();
const table: [string[], number, RegExp][] = [
  [[], 1, /missing required argument/],
  [['a b'], 1, /is not the address of a web page\n {2}next: /],
  [['x', '--timeout', '0'], 1, /--timeout: "0"/],
  [['x', '--webdriver', 'here'], 1, /--webdriver: "here" is not a URL such as/],
  [['x', '--screenshot', `${folder}/no/a.png`], 1, /--screenshot: there is no folder .*\n {2}next: mkdir/],
  [['x', '--screenshot', folder], 1, /is a folder, a file was expected/],
  [['x', '--webdriver', NOBODY, '--no-screenshot'], 4, /does not answer: ECONNREFUSED\n {2}next: /],
  [
    ['x', '--webdriver', `http://127.0.0.1:${port}`, '--no-screenshot'],
    4,
    /answers, but is no WebDriver\n {2}next/,
  ],
];
for (const [words, exit, said] of table)
  test(`exit ${exit} and no stack trace: open_website.ts ${words.join(' ').replace(folder, 'DIR')}`, async () => {
    const { code, stderr } = await runHere('client/scripts/open_website.ts', words);
    assert.equal(code, exit, stderr);
    assert.match(stderr, said);
    assert.doesNotMatch(stderr, /^ +at /m);
  });
