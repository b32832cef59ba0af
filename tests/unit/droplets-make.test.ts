/** Making, awaiting and deleting droplets, against an API that answers as told and a clock that is turned by hand. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EXIT, Fault } from '../../scripts/lib/cli.ts';
import {
  type CloudApi,
  type Droplet,
  type DropletOrder,
  InDoubt,
} from '../../scripts/lib/digitalocean/api.ts';
import { createOnce } from '../../scripts/lib/digitalocean/create.ts';
import { removeAll } from '../../scripts/lib/digitalocean/remove.ts';
import { awaitUp } from '../../scripts/lib/digitalocean/wait.ts';

const ASKED = 1_000_000;

const droplet = (id: number, over: Partial<Droplet> = {}): Droplet => ({
  id,
  name: 'a',
  region: 'nyc1',
  size: 's-1vcpu-1gb',
  image: 'debian-13-x64',
  status: 'new',
  locked: false,
  tags: ['comps'],
  created: ASKED,
  address: undefined,
  priceHourly: 0.01,
  ...over,
});
const up = (id: number, over: Partial<Droplet> = {}): Droplet =>
  droplet(id, { status: 'active', address: `192.0.2.${id}`, ...over });

const order: DropletOrder = {
  name: 'a',
  region: 'nyc1',
  size: 's-1vcpu-1gb',
  image: 'debian-13-x64',
  sshKeys: ['1'],
  tags: ['comps'],
  userData: '',
  ipv6: false,
  monitoring: false,
};

/** An API of which only these methods may be called. */
const only = (methods: Partial<CloudApi>): CloudApi =>
  new Proxy(methods, {
    get: (target, name) => {
      const method = target[name as keyof CloudApi];
      assert.ok(method, `${String(name)} was not to be called`);
      return method;
    },
  }) as CloudApi;

/** A clock that only pauses turn. */
function handClock() {
  let time = 0;
  const pauses: number[] = [];
  return {
    pauses,
    now: () => time,
    pause: async (seconds: number) => {
      pauses.push(seconds);
      time += seconds;
    },
  };
}

/** Answers in turn; the last one goes on. Errors are thrown. */
function inTurn<T>(...answers: (T | Error)[]): () => Promise<T> {
  let next = 0;
  return async () => {
    const answer = answers[Math.min(next++, answers.length - 1)] as T | Error;
    if (answer instanceof Error) throw answer;
    return answer;
  };
}

const lost = new InDoubt('no answer within 15 s');

function create(api: Partial<CloudApi>, known: number[] = []) {
  const said: string[] = [];
  const clock = handClock();
  const making = {
    api: only(api),
    asked: ASKED,
    known: new Set(known),
    pause: clock.pause,
    say: (line: string) => said.push(line),
  };
  return { ended: createOnce(order, making), said, clock };
}

test('an answer is taken as it is; nothing else is asked', async () => {
  const { ended } = create({ create: inTurn({ droplet: droplet(5), action: 9 }) });
  assert.deepEqual(await ended, { droplet: droplet(5), action: 9 });
});

test('an answer that did not come: the droplet is looked for, and found later, and never made twice', async () => {
  let creates = 0;
  const send = async () => {
    creates++;
    throw lost;
  };
  const others = [
    droplet(1, { name: 'b' }),
    droplet(2, { region: 'sfo3' }),
    droplet(3, { created: ASKED - 1000 }),
    droplet(4),
  ];
  const { ended, said, clock } = create(
    { create: send, droplets: inTurn(others, others, [...others, droplet(7, { tags: [] })]) },
    [4],
  );
  assert.equal((await ended).droplet.id, 7);
  assert.equal(creates, 1);
  assert.deepEqual(said, ['no answer within 15 s; looking whether it was made']);
  assert.deepEqual(clock.pauses, [0, 2, 4]);
});

test('not made: it is asked for again, three times at most; then nobody claims that there is none', async () => {
  const second = create({
    create: inTurn(lost, { droplet: droplet(8), action: 1 }),
    droplets: inTurn<Droplet[]>([]),
  });
  assert.equal((await second.ended).droplet.id, 8);
  const never = create({ create: inTurn<never>(lost), droplets: inTurn<Droplet[]>([]) });
  await assert.rejects(never.ended, (error: Fault) => {
    assert.match(error.message, /asked for 3 times, and was not made: no answer/);
    assert.equal(error.code, EXIT.unreachable);
    return true;
  });
});

test('two of them after one request: none is taken, both are named', async () => {
  const { ended } = create({ create: inTurn<never>(lost), droplets: inTurn([droplet(7), droplet(8)]) });
  await assert.rejects(ended, /2 new droplets have this name \(7, 8\)/);
});

test('refused and made nevertheless: it is taken; refused and not made: the refusal stands', async () => {
  const refusal = new Fault({ what: 'not permitted', code: EXIT.refused });
  const left = create({ create: inTurn<never>(refusal), droplets: inTurn([droplet(9, { tags: [] })]) });
  assert.equal((await left.ended).droplet.id, 9);
  assert.match(left.said.join(), /was refused \(not permitted\), and made nevertheless: droplet 9/);
  const none = create({ create: inTurn<never>(refusal), droplets: inTurn<Droplet[]>([]) });
  await assert.rejects(none.ended, refusal);
});

function waitFor(api: Partial<CloudApi>, ids: number[], timeout = 60) {
  const states: string[] = [];
  const clock = handClock();
  const awaited = ids.map((id) => ({ name: `d${id}`, id, action: id * 10 }));
  const onState = (name: string, state: string): void => void states.push(`${name} ${state}`);
  return {
    ended: awaitUp(awaited, { api: only(api), tag: 'comps', timeout, ...clock, onState }),
    states,
    clock,
  };
}

const working = { action: inTurn<'in-progress'>('in-progress'), droplet: inTurn<undefined>(undefined) };

test('waits until it is active and has a public address', async () => {
  const { ended, states } = waitFor(
    { ...working, droplets: inTurn([], [droplet(1)], [up(1, { address: undefined })], [up(1)]) },
    [1],
  );
  assert.deepEqual((await ended).get('d1'), up(1));
  assert.deepEqual(states, [
    'd1 accepted',
    'd1 new',
    'd1 active, waiting for its public address',
    'd1 active, waiting for its public address',
  ]);
});

test('what DigitalOcean gave up, what was deleted, what takes too long', async () => {
  const gaveUp = waitFor(
    { ...working, action: inTurn('in-progress', 'errored'), droplets: inTurn([droplet(1)]) },
    [1],
  );
  assert.equal((await gaveUp.ended).get('d1'), 'errored');
  const deleted = waitFor({ ...working, droplets: inTurn([droplet(1)], []) }, [1]);
  assert.match(String((await deleted.ended).get('d1')), /the droplet 1 was deleted meanwhile/);
  for (const [list, what] of [
    [[], /is in no list of droplets yet after 60 s \(wait_timeout\)/],
    [[droplet(1)], /is still new after 60 s/],
    [[up(1, { address: undefined })], /is active and has no public IPv4 address after 60 s/],
  ] as const) {
    const { ended, clock } = waitFor({ ...working, droplets: inTurn([...list]) }, [1]);
    const end = (await ended).get('d1') as Fault;
    assert.match(end.message, what);
    assert.match(end.next ?? '', /run the same command again/);
    assert.ok(clock.now() >= 60 && clock.now() < 70);
  }
});

test('one whose create was not answered: its action is found, and what it says counts', async () => {
  const api = only({
    ...working,
    action: inTurn('errored'),
    createAction: inTurn(4),
    droplets: inTurn([droplet(1)]),
  });
  const waiting = { api, tag: 'comps', timeout: 60, ...handClock(), onState: () => {} };
  const arrived = await awaitUp([{ name: 'a', id: 1, action: undefined }], waiting);
  assert.equal(arrived.get('a'), 'errored');
});

test('one without the tag is in no list, and is asked for by its number', async () => {
  const { ended } = waitFor(
    { ...working, droplets: inTurn<Droplet[]>([]), droplet: inTurn(droplet(1), up(1)) },
    [1],
  );
  assert.deepEqual((await ended).get('d1'), up(1));
});

test('fifty cost one list a round, and a few questions: not hundreds a minute', async () => {
  const ids = Array.from({ length: 50 }, (_, i) => i + 1);
  let requests = 0;
  const counted = <T>(answer: () => Promise<T>) => {
    return () => {
      requests++;
      return answer();
    };
  };
  const rounds = Array.from({ length: 20 }, () => ids.map((id) => droplet(id)));
  const { ended, clock } = waitFor(
    {
      action: counted(working.action),
      droplets: counted(
        inTurn<Droplet[]>(
          ...rounds,
          ids.map((id) => up(id)),
        ),
      ),
    },
    ids,
    500,
  );
  assert.equal((await ended).size, 50);
  assert.ok((requests / clock.now()) * 60 < 200, `${requests} requests in ${clock.now()} s`);
});

test('deleting: accepted is not gone; one that survives is deleted again; the others do not wait for one that fails', async () => {
  const clock = handClock();
  const removed: number[] = [];
  const gone: number[] = [];
  const api = only({
    remove: async (id) => {
      removed.push(id);
      if (id === 3) throw new Fault({ what: 'refused' });
      return id === 2 ? 'gone' : 'accepted';
    },
    droplet: async (id) => (id === 1 && removed.filter((one) => one === 1).length < 2 ? up(1) : undefined),
  });
  const droplets = [1, 2, 3].map((id) => ({ id, name: `d${id}` }));
  const failed = await removeAll(droplets, { api, timeout: 300, ...clock, onGone: (id) => gone.push(id) });
  assert.deepEqual([...failed.keys()], [3]);
  assert.deepEqual(gone.sort(), [1, 2]);
  assert.deepEqual(
    removed.filter((id) => id === 1),
    [1, 1],
  );
});

test('deleting: an answer that cannot be understood, and the droplet is gone', async () => {
  const nonsense = new Fault({ what: 'it answers nonsense', code: EXIT.unreachable });
  const remove = inTurn<never>(nonsense);
  const removing = { timeout: 60, ...handClock(), onGone: () => {} };
  const gone = only({ remove, droplet: inTurn<undefined>(undefined) });
  assert.equal((await removeAll([{ id: 1, name: 'a' }], { api: gone, ...removing })).size, 0);
  const there = only({ remove, droplet: inTurn(up(1)) });
  assert.equal((await removeAll([{ id: 1, name: 'a' }], { api: there, ...removing })).get(1), nonsense);
});

test('deleting: one that stays is told with its number', async () => {
  const api = only({ remove: async () => 'accepted', droplet: async () => up(1) });
  const failed = await removeAll([{ id: 1, name: 'a' }], {
    api,
    timeout: 60,
    ...handClock(),
    onGone: () => assert.fail(),
  });
  assert.match(String(failed.get(1)), /a: the droplet 1 is still there 60 s after/);
});
