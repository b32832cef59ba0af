/** kill -9 and Ctrl-C at chosen moments: the same command, run again, comes to the right number of droplets. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { until } from '../../scripts/lib/poll.ts';
import { type Provisioner, startProvisioner } from '../provisioner.ts';

const ALL = ['comp1', 'wgnet1', 'wgnet2'];

type Moment = [string, (user: Provisioner) => boolean, string[]?];

const requests = (user: Provisioner, method: string, path = ''): { status: number }[] =>
  user.cloud.requests.filter((one) => one.method === method && one.path.includes(path));
const answered = (user: Provisioner, method: string): number =>
  requests(user, method).filter(({ status }) => status !== 0).length;

// The create is carried out at once, and its answer is late: the process dies without having heard of it.
const LATE = 'slow=3:POST /v2/droplets:always';
const LATE_THIRD = 'slow=3:POST /v2/droplets:always@3';

const PROVISION: Moment[] = [
  ['nothing has been asked yet', (user) => requests(user, 'GET').length > 0],
  ['what is offered has been asked', (user) => requests(user, 'GET', '/regions').length > 0],
  [
    'a create is on record, and may not be sent yet',
    (user) => user.read('.droplets/hosts.ini.json') !== '',
    [LATE],
  ],
  ['a create is carried out, and not answered', (user) => user.cloud.droplets().length > 0, [LATE]],
  ['all creates are carried out, and none is answered', (user) => user.cloud.droplets().length === 3, [LATE]],
  [
    'two are answered, one is not',
    (user) => answered(user, 'POST') === 2 && user.cloud.droplets().length === 3,
    [LATE_THIRD],
  ],
  ['all are answered', (user) => answered(user, 'POST') === 3],
  ['one is active', (user) => user.cloud.droplets().some(({ status }) => status === 'active')],
  ['keys are pinned', (user) => user.read('known_hosts') !== ''],
  ['hosts.ini is written', (user) => user.lines().length > 0],
];

const TEAR_DOWN: Moment[] = [
  ['nothing is deleted yet', (user) => requests(user, 'GET', '/droplets').length > 0],
  [
    'deletions are carried out, and not answered',
    (user) =>
      requests(user, 'DELETE').some(({ status }) => status === 0) &&
      (user.cloud.droplets().length < 3 || user.cloud.droplets().some(({ deleting }) => deleting)),
    ['slow=3:DELETE *:always'],
  ],
  ['one deletion is answered', (user) => answered(user, 'DELETE') > 0],
  ['all are answered', (user) => answered(user, 'DELETE') === 3],
  ['one droplet is gone', (user) => user.cloud.droplets().length < 3],
  ['all droplets are gone, and hosts.ini is not written yet', (user) => user.cloud.droplets().length === 0],
];

/** Starts a command, and ends it at a moment; whether it was still at work then. */
async function endAt(
  user: Provisioner,
  moment: (user: Provisioner) => boolean,
  signal: NodeJS.Signals,
  ...words: [string, ...string[]]
): Promise<number | null> {
  const running = user.start(...words);
  let over = false;
  void running.ended.finally(() => {
    over = true;
  });
  assert.ok(await until(60_000, () => over || moment(user)), 'the moment came');
  running.kill(signal);
  return (await running.ended).code;
}

describe('kill -9', { concurrency: 4 }, () => {
  for (const [what, moment, faults = []] of PROVISION)
    test(`provision: ${what}`, async () => {
      const user = await startProvisioner({ faults });
      // Nobody comes to the end meanwhile: the droplets' first boots are not over until it has been killed.
      let boot = (): void => {};
      const booted = new Promise<void>((resolve) => {
        boot = resolve;
      });
      user.machines.behave(() => ({ answer: () => booted.then(() => ({})) }));
      assert.equal(await endAt(user, moment, 'SIGKILL', 'provision'), null);
      boot();
      user.cloud.clearFaults();
      const again = await user.provision();
      assert.equal(again.code, 0, again.said);
      assert.deepEqual(user.names(), ALL);
      user.requireTrue(...ALL);
      assert.equal((await user.tearDown()).code, 0);
      assert.deepEqual(user.names(), []);
      await user.close();
    });

  for (const [what, moment, faults = []] of TEAR_DOWN)
    test(`teardown: ${what}`, async () => {
      const user = await startProvisioner();
      assert.equal((await user.provision()).code, 0);
      for (const fault of faults) user.cloud.addFault(fault);
      const before = user.cloud.requests.length;
      const since = { ...user, cloud: { ...user.cloud, requests: [] as typeof user.cloud.requests } };
      const began = (): Provisioner => {
        Object.assign(since.cloud, { requests: user.cloud.requests.slice(before) });
        return since;
      };
      assert.equal(await endAt(user, () => moment(began()), 'SIGKILL', 'teardown', '--yes'), null);
      user.cloud.clearFaults();
      const again = await user.tearDown();
      assert.equal(again.code, 0, again.said);
      assert.deepEqual(user.names(), []);
      user.requireTrue();
      assert.equal(user.read('known_hosts'), '');
      await user.close();
    });
});

test('Ctrl-C while creates are under way: 99, and the same command finishes', async () => {
  const user = await startProvisioner({ faults: [LATE] });
  const moment = () => user.cloud.droplets().length > 0;
  assert.equal(await endAt(user, moment, 'SIGINT', 'provision'), 99);
  user.cloud.clearFaults();
  const again = await user.provision();
  assert.equal(again.code, 0, again.said);
  assert.deepEqual(user.names(), ALL);
  await user.close();
});

test('two at the same time: the second is refused, and changes nothing', async () => {
  const user = await startProvisioner({ faults: [LATE] });
  const first = user.start('provision');
  assert.ok(await until(60_000, () => user.cloud.droplets().length > 0));
  for (const second of [await user.provision(), await user.tearDown()]) {
    assert.equal(second.code, 1);
    assert.match(
      second.said,
      /hosts.ini: another provision, teardown or main is at work on it\n {2}next: wait/,
    );
  }
  assert.equal((await first.ended).code, 0);
  assert.deepEqual(user.names(), ALL);
  await user.close();
});
