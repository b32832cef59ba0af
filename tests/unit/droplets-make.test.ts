/** Making, awaiting and deleting droplets, against an API that answers as told and a clock that is turned by hand. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EXIT, Fault } from '../../scripts/lib/cli.ts';
import {
  type CloudApi,
  type Droplet,
  type DropletOrder,
  InDoubt,
  NotPermitted,
} from '../../scripts/lib/digitalocean/api.ts';
import { createOnce, LAG, NotMade } from '../../scripts/lib/digitalocean/create.ts';
import { removeAll } from '../../scripts/lib/digitalocean/remove.ts';
import { awaitUp } from '../../scripts/lib/digitalocean/wait.ts';

const ASKED = 1_000_000;
const MARK = 'comps-from-0123456789ab';

const droplet = (id: number, over: Partial<Droplet> = {}): Droplet => ({
  id,
  name: 'a',
  region: 'nyc1',
  size: 's-1vcpu-1gb',
  image: 'debian-13-x64',
  status: 'new',
  tags: ['comps', MARK],
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
    mark: MARK,
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
    droplet(3, { tags: ['comps', 'comps-from-another'] }),
    droplet(4),
    droplet(5, { tags: [] }),
  ];
  // Neither this machine's clock nor theirs plays a part.
  const made = droplet(7, { created: ASKED - 9999 });
  const { ended, said, clock } = create(
    { create: send, droplets: inTurn(others, others, [...others, made]) },
    [4],
  );
  assert.equal((await ended).droplet.id, 7);
  assert.equal(creates, 1);
  assert.deepEqual(said, ['no answer within 15 s; looking whether it was made']);
  assert.deepEqual(clock.pauses, [0, 2, 4]);
});

const refusal = new Fault({ what: 'not permitted', next: 'more scopes', code: EXIT.refused });

test('not made: it is asked for again, three times at most; then nobody claims that there is none', async () => {
  const second = create({
    create: inTurn(lost, { droplet: droplet(8), action: 1 }),
    droplets: inTurn<Droplet[]>([]),
  });
  assert.equal((await second.ended).droplet.id, 8);
  assert.equal(second.clock.now(), LAG);
  const never = create({ create: inTurn<never>(lost), droplets: inTurn<Droplet[]>([]) });
  await assert.rejects(never.ended, (error: Fault) => {
    assert.match(error.message, /asked for 3 times, and is not to be seen: no answer/);
    assert.equal(error.code, EXIT.unreachable);
    assert.ok(!(error instanceof NotMade));
    return true;
  });
});

test('two of them after one request: none is taken, both are named', async () => {
  const { ended } = create({ create: inTurn<never>(lost), droplets: inTurn([droplet(7), droplet(8)]) });
  await assert.rejects(ended, /2 new droplets have this name \(7, 8\)/);
});

test('refused: certainly not made, unless a create before it had no answer, or looking cannot be done', async () => {
  await assert.rejects(create({ create: inTurn<never>(refusal) }).ended, (error: Fault) => {
    assert.ok(error instanceof NotMade);
    assert.deepEqual([error.message, error.next, error.code], ['not permitted', 'more scopes', EXIT.refused]);
    return true;
  });
  const doubtful = create({ create: inTurn<never>(lost, refusal), droplets: inTurn<Droplet[]>([]) });
  await assert.rejects(doubtful.ended, (error) => error === refusal);
  const blind = create({ create: inTurn<never>(lost), droplets: inTurn<never>(refusal) });
  await assert.rejects(blind.ended, (error) => error === refusal);
});

test('not permitted and made nevertheless, without its tags and some seconds later: it is taken', async () => {
  const forbidden = new NotPermitted({ what: 'no scope', code: EXIT.refused });
  const bare = droplet(9, { tags: [] });
  const left = create({ create: inTurn<never>(forbidden), droplets: inTurn([], [], [bare]) });
  assert.equal((await left.ended).droplet.id, 9);
  assert.match(left.said.join(), /was refused \(no scope\), and made nevertheless: droplet 9/);
  const none = create({ create: inTurn<never>(forbidden), droplets: inTurn([bare]) }, [9]);
  await assert.rejects(none.ended, NotMade);
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

test('what cannot be reached for a while is borne; where it lasts, each droplet is told of', async () => {
  const down = new Fault({ what: 'it answers nonsense', next: 'see the proxy', code: EXIT.unreachable });
  const passing = waitFor({ ...working, droplets: inTurn<Droplet[]>(down, down, [up(1)]) }, [1]);
  assert.deepEqual((await passing.ended).get('d1'), up(1));
  const lasting = waitFor({ ...working, droplets: inTurn<Droplet[]>(down) }, [1, 2]);
  const ends = [...(await lasting.ended).values()] as Fault[];
  assert.equal(ends.length, 2);
  for (const { message, next, code } of ends) {
    assert.match(message, /the droplet \d was asked for, and nothing is heard of it: it answers nonsense/);
    assert.match(next ?? '', /run the same command again.*see the proxy/);
    assert.equal(code, EXIT.unreachable);
  }
});

/** An account whose droplets go some looks after they are deleted, and which notes what it is asked. */
function account(ids: number[], looks: (id: number) => number) {
  const left = new Map(ids.map((id) => [id, Number.POSITIVE_INFINITY]));
  const removed: number[] = [];
  let lists = 0;
  const there = (id: number): boolean => (left.get(id) ?? 0) > 0;
  const api: Partial<CloudApi> = {
    remove: async (id) => {
      removed.push(id);
      if (there(id)) left.set(id, Math.min(left.get(id) ?? 0, looks(id)));
      return there(id) ? 'accepted' : 'gone';
    },
    droplets: async () => {
      lists++;
      for (const [id, count] of left) left.set(id, count - 1);
      return ids.filter(there).map((id) => up(id));
    },
    droplet: async (id) => (there(id) ? up(id) : undefined),
  };
  return { api, removed, lists: () => lists };
}

const doomed = (ids: number[]) => ids.map((id) => ({ id, name: `d${id}` }));

test('deleting: accepted is not gone; one list a round for all of them', async () => {
  const ids = Array.from({ length: 40 }, (_, i) => i + 1);
  const { api, removed, lists } = account(ids, () => 4);
  const gone: number[] = [];
  const failed = await removeAll(doomed(ids), {
    api: only(api),
    timeout: 300,
    ...handClock(),
    onGone: (id) => gone.push(id),
  });
  assert.equal(failed.size, 0);
  assert.deepEqual(gone, ids);
  assert.deepEqual([removed, lists()], [ids, 4]);
});

test('deleting: one that survives is deleted again; the others do not wait for one that is refused', async () => {
  const { api, removed } = account([1, 2, 3], (id) =>
    id === 1 && removed.filter((one) => one === 1).length < 2 ? Infinity : 1,
  );
  const no = new Fault({ what: 'refused', code: EXIT.refused });
  const remove: CloudApi['remove'] = async (id) => {
    if (id === 3) throw no;
    return (api.remove as CloudApi['remove'])(id);
  };
  const gone: number[] = [];
  const failed = await removeAll(doomed([1, 2, 3]), {
    api: only({ ...api, remove }),
    timeout: 300,
    ...handClock(),
    onGone: (id) => gone.push(id),
  });
  assert.deepEqual([...failed], [[3, no]]);
  assert.deepEqual(gone, [2, 1]);
  assert.deepEqual(removed, [1, 2, 1]);
});

test('deleting: `there is none` is no proof while the droplet itself is to be seen', async () => {
  const { api, removed } = account([1], () => 1);
  let asked = 0;
  const remove: CloudApi['remove'] = async (id) =>
    asked++ === 0 ? 'gone' : (api.remove as CloudApi['remove'])(id);
  const failed = await removeAll(doomed([1]), {
    api: only({ ...api, remove }),
    timeout: 300,
    ...handClock(),
    onGone: () => {},
  });
  assert.deepEqual([failed.size, asked, removed], [0, 2, [1]]);
});

test('deleting: an answer that cannot be understood, and the droplet is gone', async () => {
  const nonsense = new Fault({ what: 'it answers nonsense', code: EXIT.unreachable });
  const remove = inTurn<never>(nonsense);
  const removing = { timeout: 60, ...handClock(), onGone: () => {} };
  const gone = only({ remove, droplets: inTurn<Droplet[]>([]), droplet: inTurn<undefined>(undefined) });
  assert.equal((await removeAll(doomed([1]), { api: gone, ...removing })).size, 0);
  const there = only({ remove, droplet: inTurn(up(1)) });
  assert.equal((await removeAll(doomed([1]), { api: there, ...removing })).get(1), nonsense);
});

test('deleting: one that stays is told with its number', async () => {
  const { api } = account([1], () => Infinity);
  const failed = await removeAll(doomed([1]), {
    api: only(api),
    timeout: 60,
    ...handClock(),
    onGone: () => assert.fail(),
  });
  assert.match(String(failed.get(1)), /d1: the droplet 1 is still there 60 s after/);
});
