import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EXIT, Fault } from '../../scripts/lib/cli.ts';
import { judgeFault, meet } from '../../scripts/lib/lab/cloud/fault-place.ts';
import { parseFault, placeOf } from '../../scripts/lib/lab/cloud/faults.ts';

for (const [text, fault, place] of [
  ['429', { kind: '429' }, '* *'],
  ['429=3:GET /v2/*', { kind: '429', value: '3', on: 'GET /v2/*' }, 'GET /v2/*'],
  ['429:POST /v2/droplets:2', { kind: '429', on: 'POST /v2/droplets', times: 2 }, 'POST /v2/droplets'],
  ['500-after', { kind: '500-after' }, 'POST /v2/droplets'],
  ['503:* /v2/regions:always', { kind: '503', on: '* /v2/regions', times: Infinity }, '* /v2/regions'],
  ['hang-after:3@2', { kind: 'hang-after', times: 3, after: 1 }, 'POST /v2/droplets'],
  ['422=limit', { kind: '422', value: 'limit' }, 'POST /v2/droplets'],
  ['422=pending', { kind: '422', value: 'pending' }, 'DELETE /v2/droplets/*'],
  ['errored=wgnet2', { kind: 'errored', value: 'wgnet2' }, 'POST /v2/droplets'],
  ['scopes=', { kind: 'scopes', value: '' }, '* *'],
  [
    'scopes=account:read,droplet:read:always',
    { kind: 'scopes', value: 'account:read,droplet:read', times: Infinity },
    '* *',
  ],
  ['slow=0.5:GET /v2/account', { kind: 'slow', value: '0.5', on: 'GET /v2/account' }, 'GET /v2/account'],
] as const)
  test(`a fault in words: ${text}`, () => {
    assert.deepEqual(judgeFault(text), fault);
    assert.equal(placeOf(parseFault(text)), place);
  });

for (const [text, says] of [
  ['', /KIND\[=VALUE\]/],
  ['429 twice', /KIND\[=VALUE\]/],
  ['hnag', /no kind of fault is called hnag/],
  ['toString', /no kind of fault is called toString/],
  ['422', /422= one of: name, /],
  ['422=nothing', /422= one of: name, /],
  ['429=soon', /429=SECONDS/],
  ['slow', /slow=SECONDS/],
  ['500=1', /500 has no value/],
  ['scopes', /scopes=account:read/],
  ['scopes=droplet', /scopes=account:read/],
  ['scopes=,a:b', /scopes=account:read/],
  ['scopes=a:b:GET /v2/account', /everywhere and always/],
  ['scopes=a:b:2', /everywhere and always/],
  ['scopes=a:b@2', /everywhere and always/],
  ['errored=', /errored=NAME/],
  ['429:0', /TIMES is 1 or more/],
  ['429:POST /v2/droplets:-1', /TIMES is 1 or more/],
  ['429:* *:-1', /TIMES is 1 or more/],
  ['429:POST /v2/droplets@0', /@NTH is 1 or more/],
  ['429:POST /droplets', /no request POST \/droplets/],
  ['503:PUT /v2/droplets', /no request PUT/],
  ['500:GET /v2/droplets/1/nothing', /no request GET/],
  ['errored:GET /v2/droplets', /only happen at POST \/v2\/droplets/],
  ['survives=a:POST /v2/droplets', /only happen at DELETE/],
] as const)
  test(`no fault: ${JSON.stringify(text)}`, () => {
    assert.throws(
      () => judgeFault(text),
      (error) => {
        assert.ok(error instanceof Fault);
        assert.equal(error.code, EXIT.refused);
        assert.match(error.message, says);
        assert.ok(error.next);
        return true;
      },
    );
  });

for (const text of [
  ...['429:GET /v2/droplets/515000001', '500:* *', '503:GET /v2/acc*:always', '404:2', 'survives:DELETE *'],
  ...['errored=a:POST /v2/*', 'hang:GET /v2/account/keys/aa:bb:cc', '403:GET /v2/droplets/*/actions'],
])
  test(`a fault that can come about: ${text}`, () => {
    assert.deepEqual(judgeFault(text), parseFault(text));
  });

test('what helps: an example of the same kind, and a name only where one is near', () => {
  const next = (text: string): string => {
    try {
      judgeFault(text);
    } catch (error) {
      if (error instanceof Fault) return error.next ?? '';
    }
    return '';
  };
  assert.match(next('422='), /^422=limit/);
  assert.match(next('slow'), /^slow=2:/);
  assert.match(next('hnag'), /; meant: hang$/);
  assert.doesNotMatch(next('somethingelse'), /meant/);
  for (const text of ['422=', 'slow', 'scopes', 'errored=', '500=1', '429=soon', 'hang-after=1'])
    judgeFault(next(text).replace(', for example', ''));
});

test('two patterns meet where some text fits both', () => {
  for (const [a, b, met] of [
    ['*', 'GET /a/?', true],
    ['GET /a/*/c', 'GET /a/?/c', true],
    ['GET /a/b/c', 'GET /a/?', false],
    ['GET /a/b', 'GET /a/?', true],
    ['GET /a', 'GET /a/?', false],
    ['GET /*', 'POST /a', false],
    ['* /a*b', '? /a?b', true],
  ] as const)
    assert.equal(meet(a, b), met, `${a} and ${b}`);
});
