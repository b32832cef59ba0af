/** Droplets in doubt: none is made twice, none forgotten, and nobody else's is taken or deleted. */
import assert from 'node:assert/strict';
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { until } from '../../scripts/lib/poll.ts';
import { givenUp } from '../../scripts/lib/steps/set-up-client.ts';
import { between, without } from '../api-proxy.ts';
import { startCloud } from '../cloud-fixture.ts';
import { COMPS, type Provisioner, startProvisioner, VPNS } from '../provisioner.ts';

const ALL = ['comp1', 'wgnet1', 'wgnet2'];
const RECORD = '.droplets/hosts.ini.json';

/** Provisions, and is killed as soon as a moment comes. */
async function cutOff(user: Provisioner, moment: () => boolean): Promise<void> {
  const running = user.start('provision');
  assert.ok(await until(60_000, moment));
  running.kill('SIGKILL');
  await running.ended;
  user.cloud.clearFaults();
}

const record = (user: Provisioner): { name: string; id?: number; asked: number; address?: string }[] =>
  JSON.parse(user.read(RECORD) || '{"droplets":[]}').droplets;

/** Turns the record back in time: what it has is of a while ago. */
function age(user: Provisioner, seconds: number): void {
  const content = JSON.parse(user.read(RECORD));
  for (const entry of content.droplets) entry.asked -= seconds;
  writeFileSync(user.file(RECORD), JSON.stringify(content));
}

const theirs = {
  name: 'wgnet1',
  region: 'nyc1',
  size: 's-1vcpu-1gb',
  image: 'debian-13-x64',
  tags: ['theirs'],
};

describe('doubt', { concurrency: 8 }, () => {
  test('a create that nobody answered, and another project makes one of that name: it stays theirs', async () => {
    const user = await startProvisioner({ faults: ['500:POST /v2/droplets:always'] });
    // All three: one that is still on its way when the faults end would be made.
    await cutOff(
      user,
      () =>
        user.cloud.requests.filter(({ method, status }) => method === 'POST' && status === 500).length >= 3,
    );
    assert.equal((await user.call('POST', '/droplets', theirs)).status, 202);
    assert.equal((await user.call('POST', '/droplets', { ...theirs, tags: [] })).status, 202);
    const [foreign, bare] = user.cloud.droplets();
    age(user, 100);
    const gone = await user.tearDown();
    assert.match(gone.said, /no droplet with the tag comps/);
    assert.equal(user.cloud.droplets().length, 2);
    const made = await user.provision();
    assert.equal(made.code, 0, made.said);
    assert.equal(user.cloud.droplets().length, 5);
    assert.ok(
      !user.lines().some((line) => [foreign, bare].some((one) => line.endsWith(`=${one?.publicIp}`))),
    );
    assert.equal((await user.tearDown()).code, 0);
    assert.deepEqual(
      user.cloud.droplets().map(({ id }) => id),
      [foreign?.id, bare?.id],
    );
    await user.close();
  });

  test('a list that lacks a droplet on record: it is asked for by its number, and not made again', async () => {
    const user = await startProvisioner();
    assert.equal((await user.provision()).code, 0);
    const lagging = await between(
      user,
      without(({ name }) => name === 'wgnet1'),
    );
    const again = await user.provision({ apiUrl: lagging.url });
    assert.equal(again.code, 0, again.said);
    assert.match(again.said, /0 to create, 3 to keep/);
    assert.deepEqual(user.names(), ALL);
    assert.equal((await user.tearDown({ apiUrl: lagging.url })).code, 0);
    assert.deepEqual(user.names(), []);
    await lagging.close();
    await user.close();
  });

  test('accepted a moment ago and not to be seen: neither forgotten by teardown nor made again', async () => {
    const user = await startProvisioner();
    await cutOff(user, () => record(user).filter(({ id }) => id !== undefined).length === 3);
    const hidden = await between(user, (request, json) =>
      /^GET .v2.droplets.\d+$/.test(request) ? 404 : without(() => true)(request, json),
    );
    const torn = await user.tearDown({ apiUrl: hidden.url });
    assert.equal(torn.code, 2, torn.said);
    assert.match(torn.said, /wgnet1: the droplet \d+ was accepted a moment ago, and is not to be seen yet/);
    assert.equal(record(user).length, 3);
    const again = await user.provision({ apiUrl: hidden.url });
    assert.equal(again.code, 1, again.said);
    assert.equal(user.names().length, 3);
    assert.equal((await user.tearDown()).code, 0);
    assert.deepEqual(user.names(), []);
    await hidden.close();
    await user.close();
  });

  test('a create without an answer, and then no look at the list: the record stays, and the next run finds it', async () => {
    const user = await startProvisioner();
    let lost = false;
    const blind = await between(user, (request, json) => {
      if (request.startsWith('POST') && json.droplet.name === 'wgnet1') {
        lost = true;
        return 'reset';
      }
      return lost && request === 'GET /v2/droplets?page=1&per_page=200' ? 401 : undefined;
    });
    const met = await user.provision({ apiUrl: blind.url });
    assert.equal(met.code, 2, met.said);
    assert.match(met.said, /failed: \[wgnet1\].*token is not accepted/);
    assert.ok(record(user).some(({ name, id }) => name === 'wgnet1' && id === undefined));
    const again = await user.provision();
    assert.equal(again.code, 0, again.said);
    assert.deepEqual(user.names(), ALL);
    user.requireTrue(...ALL);
    await blind.close();
    await user.close();
  });

  test('a copied folder with another tag: the first project’s droplets are neither kept nor deleted', async () => {
    const user = await startProvisioner();
    assert.equal((await user.provision()).code, 0);
    user.settings('tag: second');
    const made = await user.provision();
    assert.equal(made.code, 1, made.said);
    assert.match(
      made.said,
      /the droplet wgnet1 \(\d+\) is on record here, and has the tags comps, .*not second\n {2}next: .*tag: comps/,
    );
    const gone = await user.tearDown();
    assert.equal(gone.code, 0, gone.said);
    assert.match(gone.said, /notice: the droplet wgnet1 .*left alone/);
    assert.deepEqual(user.names(), ALL);
    assert.equal(record(user).length, 3);
    await user.close();
  });

  test('another account’s token: refused before anything; a record of before asks until a droplet tells whose it is', async () => {
    const user = await startProvisioner();
    const other = await startCloud({
      keys: [user.key],
      account: { status: 'active', status_message: '', team: { uuid: 'other-team', name: 'Others' } },
    });
    assert.equal((await user.provision()).code, 0);
    const files = ['hosts.ini', 'known_hosts', RECORD];
    const texts = files.map(user.read);
    const elsewhere = { apiUrl: other.url };
    for (const met of [
      await user.tearDown(elsewhere),
      await user.tearDown({ ...elsewhere, check: true }),
      await user.provision(elsewhere),
      await user.provision({ ...elsewhere, check: true }),
    ]) {
      assert.equal(met.code, 1, met.said);
      assert.match(
        met.said,
        /hosts.ini: its droplets \(wgnet1, .*\) were made with another account .*Others/,
      );
    }
    assert.deepEqual(files.map(user.read), texts);
    assert.deepEqual(other.cloud.droplets(), []);

    const { account, ...before } = JSON.parse(user.read(RECORD));
    writeFileSync(user.file(RECORD), JSON.stringify(before));
    const unasked = await user.tearDown({ ...elsewhere, yes: false });
    assert.equal(unasked.code, 1, unasked.said);
    assert.match(unasked.said, /^On record, and not in this account: wgnet1 \(\d+\), wgnet2 /m);
    assert.match(
      unasked.said,
      /3 on record that are not in this account are to be forgotten, and there is no/,
    );
    assert.doesNotMatch(unasked.said, /none on record/);
    assert.match(
      (await user.provision({ ...elsewhere, check: true })).said,
      /wgnet1: its droplet .* made anew/,
    );
    assert.deepEqual(files.slice(0, 2).map(user.read), texts.slice(0, 2));
    assert.equal(JSON.parse(user.read(RECORD)).account, undefined);
    assert.equal((await user.provision()).code, 0);
    assert.equal(JSON.parse(user.read(RECORD)).account, account);

    const addresses = record(user).map((one) => one.address);
    // Without the scope account:read, whose they are cannot be asked; those that it shows are its own.
    user.cloud.addFault('scopes=droplet:read,droplet:delete:always');
    const gone = await user.tearDown();
    assert.equal(gone.code, 0, gone.said);
    assert.deepEqual(user.names(), []);
    // What was given up is known to set-ups; a record without droplets is of nobody's account.
    assert.deepEqual(givenUp(user.file('hosts.ini')), addresses);
    const empty = await user.provision({ ...elsewhere, check: true });
    assert.equal(empty.code, 0, empty.said);
    await other.close();
    await user.close();
  });

  test('two folders, one project, at the same time: the second is refused', async () => {
    const user = await startProvisioner({ faults: ['slow=2:POST /v2/droplets:always'] });
    const first = user.start('provision');
    assert.ok(await until(60_000, () => user.cloud.droplets().length > 0));
    mkdirSync(user.file('b'));
    cpSync(user.file('hosts.ini'), user.file('b/hosts.ini'));
    const second = await user.provision({ inventory: user.file('b/hosts.ini') });
    assert.equal(second.code, 1, second.said);
    assert.match(second.said, /at work on this project's droplets, from another folder/);
    assert.equal((await first.ended).code, 0);
    assert.deepEqual(user.names(), ALL);
    await user.close();
  });

  test('made by somebody else at the same time, elsewhere: both numbers are told', async () => {
    const user = await startProvisioner({ faults: ['slow=2:POST /v2/droplets:1'] });
    const running = user.provision();
    assert.ok(await until(60_000, () => user.cloud.droplets().length > 0));
    await user.call('POST', '/droplets', { ...theirs, tags: ['comps'] });
    const met = await running;
    assert.equal(met.code, 2, met.said);
    const [ours, other] = user.cloud.droplets().filter(({ name }) => name === 'wgnet1');
    assert.match(met.said, /2 droplets of this project have this name in nyc1/);
    const extra = record(user).some(({ id }) => id === ours?.id) ? other : ours;
    assert.match(met.said, new RegExp(`delete the other: .*--limit ${extra?.id}$`, 'm'));
    await user.close();
  });

  test('made anew, and its making fails twice: what hosts.ini has of the old one does not block the next run', async () => {
    const user = await startProvisioner();
    assert.equal((await user.provision()).code, 0);
    const old = user.cloud.droplets().find(({ name }) => name === 'wgnet1');
    await user.call('DELETE', `/droplets/${old?.id}`);
    assert.ok(await until(60_000, () => user.names().length === 2));
    user.cloud.addFault({ kind: 'errored', value: 'wgnet1', times: 2 });
    const met = await user.provision();
    assert.equal(met.code, 2, met.said);
    assert.deepEqual(user.names(), ['comp1', 'wgnet2']);
    const again = await user.provision();
    assert.equal(again.code, 0, again.said);
    user.requireTrue(...ALL);
    assert.equal(user.read('known_hosts').trim().split('\n').length, 3);
    await user.close();
  });

  test('renamed by hand: not made a second time, and teardown takes its line out', async () => {
    const user = await startProvisioner();
    assert.equal((await user.provision()).code, 0);
    const id = user.cloud.droplets().find(({ name }) => name === 'wgnet1')?.id;
    assert.equal(
      (await user.call('POST', `/droplets/${id}/actions`, { type: 'rename', name: 'other' })).status,
      201,
    );
    assert.ok(await until(60_000, () => user.names().includes('other')));
    const met = await user.provision();
    assert.equal(met.code, 1, met.said);
    assert.match(met.said, /wgnet1: its droplet \d+ is called other now/);
    assert.equal((await user.tearDown()).code, 0);
    assert.deepEqual(user.names(), []);
    assert.deepEqual([user.lines(), record(user), user.read('known_hosts')], [[], [], '']);
    await user.close();
  });

  test('`main --check` after a provisioning that was cut off: the plan, and no fault of hosts.ini’s', async () => {
    const user = await startProvisioner({ delays: { active: 3 } });
    await cutOff(user, () => user.cloud.droplets().length === 3);
    const met = await user.run('main', '--check', '-o', user.file('client'));
    assert.equal(met.code, 0, met.said);
    assert.match(met.stdout, /3 to keep/);
    assert.match(met.stdout, /Set-up comes once the droplets are there/);
    await user.close();
  });

  test('files that cannot be written: refused before the first droplet; found out later, the droplets are named', async () => {
    const user = await startProvisioner();
    writeFileSync(user.file('.droplets'), '');
    const before = await user.provision();
    assert.equal(before.code, 1, before.said);
    assert.deepEqual(user.names(), []);
    rmSync(user.file('.droplets'));
    const running = user.provision();
    assert.ok(await until(60_000, () => user.names().length === 3));
    const text = readFileSync(user.file('hosts.ini'));
    writeFileSync(user.file('hosts.ini'), '[nonsense\n');
    const met = await running;
    assert.equal(met.code, 2, met.said);
    assert.match(
      met.said,
      /the droplets wgnet1 \(\d+\), wgnet2 \(\d+\), comp1 \(\d+\) are there, and on record/,
    );
    const torn = await user.tearDown();
    assert.equal(torn.code, 1, torn.said);
    assert.equal(user.names().length, 3);
    writeFileSync(user.file('hosts.ini'), text);
    assert.equal((await user.provision()).code, 0);
    user.requireTrue(...ALL);
    await user.close();
  });

  test('a limit that names nobody, as an unset variable does: refused', async () => {
    const user = await startProvisioner();
    user.configure({ vpns: VPNS, comps: COMPS });
    for (const limit of [[''], [], [' ', ',']]) {
      const met = await user.tearDown({ limit });
      assert.equal(met.code, 1, met.said);
      assert.match(met.said, /--limit: names no droplet/);
    }
    await user.close();
  });
});
