/**
 * Each way in which DigitalOcean's API fails, in the midst of a provisioning or a tear-down: how many droplets there are
 * then, that hosts.ini is true, what is said, and that the same command finishes the job. Several at the same time.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { CloudFault } from '../../scripts/lib/lab/cloud/faults.ts';
import { UNPROCESSABLE } from '../../scripts/lib/lab/cloud/refusal.ts';
import { type Provisioner, startProvisioner } from '../provisioner.ts';

const ALL = ['comp1', 'wgnet1', 'wgnet2'];

interface Case {
  faults: (CloudFault | string)[];
  /** Exit code of the run that meets the faults. */
  code: number;
  said?: RegExp[];
  /** Droplets after it, and those of them that hosts.ini has. */
  names?: string[];
  hosts?: string[];
  /** Creates that the API was sent in both runs together; three unless given. */
  creates?: number;
  /** config.cfg's further lines. */
  lines?: string[];
}

const good: Pick<Case, 'code' | 'names'> = { code: 0, names: ALL };
const refused: Pick<Case, 'code' | 'names'> = { code: 1, names: [] };
const SCOPES = 'account:read,ssh_key:read,regions:read,sizes:read,image:read,droplet:read,actions:read';

/** An answer that is lost after the create was carried out: the droplet is found, and there is no second one. */
const LOST = ['hang', 'reset', '500', '502', '503', '504', 'html'].map((kind): [string, Case] => [
  `a create carried out, and answered with ${kind}`,
  { ...good, faults: [`${kind}-after:POST /v2/droplets`], said: [/looking whether it was made/] },
]);

/** One that was not carried out: it is sent again. */
const AGAIN = ['reset', '500', '503', 'html'].map((kind): [string, Case] => [
  `a create not carried out, and answered with ${kind}`,
  { ...good, faults: [`${kind}:POST /v2/droplets`], said: [/looking whether it was made/], creates: 4 },
]);

/** What is refused of one droplet only: the others are made, and the network is not whole. */
const REFUSED = Object.entries(UNPROCESSABLE)
  .filter(([kind]) => kind !== 'pending')
  .map(([kind, message]): [string, Case] => [
    `a create refused: 422 ${kind}`,
    {
      faults: [`422=${kind}:POST /v2/droplets:1@2`],
      code: 2,
      names: ['comp1', 'wgnet1'],
      said: [new RegExp(message.replace(/[^\w ]/g, '.')), /failed: \[wgnet2\].*\n {6}next: /],
      creates: 4,
    },
  ]);

const CASES: [string, Case][] = [
  ...LOST,
  ...AGAIN,
  ...REFUSED,
  ['429 with retry-after', { ...good, faults: ['429=1:POST /v2/droplets:2'], creates: 5 }],
  ['429 without', { ...good, faults: ['429:POST /v2/droplets:1', '429:GET /v2/sizes:1'], creates: 4 }],
  [
    '500 and 503 of what is read',
    { ...good, faults: ['500:GET /v2/account', '503:GET /v2/regions', '500:GET /v2/droplets:2'] },
  ],
  [
    'an HTML page from the first request on',
    {
      ...refused,
      code: 4,
      faults: ['html:*  *'.replace('  ', ' ') + ':always'],
      said: [/next: .*--api-url/],
    },
  ],
  [
    'a token that is not accepted',
    { ...refused, faults: ['401:* *:always'], said: [/token is not accepted/, /export DO_TOKEN/] },
  ],
  [
    'a token that may not read the account',
    { ...refused, faults: ['scopes=droplet:read,droplet:create'], said: [/account:read|sizes:read/] },
  ],
  [
    'a token that may not create',
    { faults: [`scopes=${SCOPES}`], code: 2, names: [], said: [/droplet:create/] },
  ],
  [
    'a create refused with 403, and made nevertheless',
    { ...good, faults: ['403-after:POST /v2/droplets'], said: [/made nevertheless: droplet \d+/] },
  ],
  ['no answer of a droplet soon after its create', { ...good, faults: ['404:GET /v2/droplets/*:2'] }],
  [
    'a droplet whose making fails',
    {
      ...good,
      faults: ['errored=wgnet2'],
      said: [/could not make the droplet \d+; deleting it/],
      creates: 4,
    },
  ],
  [
    'an answer that is lost, and a making that fails',
    {
      ...good,
      faults: ['reset-after:POST /v2/droplets', 'errored=wgnet1'],
      said: [/looking whether it was made/, /could not make the droplet/],
      creates: 4,
    },
  ],
  [
    'a droplet whose making fails twice',
    {
      faults: [{ kind: 'errored', value: 'wgnet2', times: 2 }],
      code: 2,
      names: ['comp1', 'wgnet1'],
      said: [/could not make it this time either; nothing of it is left/, /next: run the same command again/],
      creates: 5,
    },
  ],
  [
    'a droplet that never becomes active',
    {
      faults: ['never-active=comp1'],
      lines: ['wait_timeout: 6'],
      code: 2,
      names: ALL,
      hosts: ['wgnet1', 'wgnet2'],
      said: [/the droplet \d+ is still new after 6 s \(wait_timeout\)/, /go on waiting, or delete it/],
    },
  ],
  [
    'a droplet that never has a public address',
    {
      faults: ['no-address=comp1'],
      lines: ['wait_timeout: 6'],
      code: 2,
      names: ALL,
      hosts: ['wgnet1', 'wgnet2'],
      said: [/is active and has no public IPv4 address after 6 s/],
    },
  ],
];

/** Every droplet once, each in hosts.ini, its key pinned. */
function requireWhole(user: Provisioner): void {
  assert.deepEqual(user.names(), ALL);
  user.requireTrue(...ALL);
  for (const name of ALL) assert.match(user.read('known_hosts'), new RegExp(` ${name}$`, 'm'));
  assert.equal(user.read('known_hosts').trim().split('\n').length, 3);
}

const DELETING: [string, (CloudFault | string)[], RegExp[], number][] = [
  ['429, 500 and 503 of the deletion', ['429=1:DELETE *', '500:DELETE *', '503:DELETE *'], [], 0],
  ['a pending event', ['422=pending:DELETE *:2'], [], 0],
  ['an answer that is lost', ['reset-after:DELETE *', '500-after:DELETE *'], [], 0],
  ['an HTML page in the place of an answer to it', ['html:DELETE *'], [/answers nonsense/, /--api-url/], 4],
  ['one that survives its deletion', ['survives=wgnet1'], [], 0],
  ['a token that may not delete', [`scopes=${SCOPES}`], [/droplet:delete/], 2],
];

describe('faults', { concurrency: 8 }, () => {
  // The one that waits longest comes first.
  for (const [what, faults, said, code] of DELETING)
    test(`tearing down: ${what}`, async () => {
      const user = await startProvisioner();
      assert.equal((await user.provision()).code, 0);
      for (const fault of faults) user.cloud.addFault(fault);
      const met = await user.tearDown();
      for (const each of said) assert.match(met.said, each);
      assert.equal(met.code, code, met.said);
      user.requireTrue(...user.names());
      user.cloud.clearFaults();
      const again = await user.tearDown();
      assert.equal(again.code, 0, again.said);
      assert.deepEqual(user.names(), []);
      user.requireTrue();
      assert.equal(user.read('known_hosts'), '');
      await user.close();
    });

  for (const [what, { faults, code, said = [], names = [], hosts, creates = 3, lines = [] }] of CASES)
    test(`provisioning: ${what}`, async () => {
      const user = await startProvisioner({ faults });
      if (lines.length > 0) user.settings(...lines);
      const met = await user.provision();
      assert.equal(met.code, code, met.said);
      for (const each of said) assert.match(met.said, each);
      assert.deepEqual(user.names(), names, met.said);
      user.requireTrue(...(hosts ?? names));

      // What never comes up by itself is deleted, as the message says.
      user.cloud.clearFaults();
      const stuck = user.names().filter((name) => !(hosts ?? names).includes(name));
      if (stuck.length > 0) assert.equal((await user.tearDown({ limit: stuck })).code, 0);
      const again = await user.provision();
      assert.equal(again.code, 0, again.said);
      requireWhole(user);
      const sent = user.cloud.requests.filter(({ method }) => method === 'POST').length;
      if (code !== 1 && stuck.length === 0 && names.length > 0) assert.equal(sent, creates);
      await user.close();
    });
});
