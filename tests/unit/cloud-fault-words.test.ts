import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EXIT, Fault } from '../../scripts/lib/cli.ts';
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
    assert.deepEqual(parseFault(text), fault);
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
] as const)
  test(`no fault: ${JSON.stringify(text)}`, () => {
    assert.throws(
      () => parseFault(text),
      (error) => {
        assert.ok(error instanceof Fault);
        assert.equal(error.code, EXIT.refused);
        assert.match(error.message, says);
        assert.ok(error.next);
        return true;
      },
    );
  });
