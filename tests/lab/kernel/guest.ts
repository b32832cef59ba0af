/** The program in the virtual machine, in the client's namespace; the test on the computer below judges what it tells. */
import { fragmentsDuring, Watch } from './guest-capture.ts';
import { Migrator } from './guest-migrator.ts';
import { Prober } from './guest-prober.ts';
import { DEEDS, type Deed, OPEN } from './guest-states.ts';
import {
  load,
  minus,
  PATHS,
  page,
  SETUP,
  SITE,
  sentBy,
  sh,
  tell,
  textOf,
  trySh,
  until,
} from './guest-tools.ts';
import type { Counts, Migration, Result } from './results.ts';
import { SPLIT } from './wish.ts';

/** Seconds of load while paths change. */
const SECONDS = 8;

/** All that `up` makes, as it is. */
const state = (): Promise<string> =>
  sh(
    `ip rule; ip -6 rule; for t in 51820 51821; do ip route show table $t; ip -6 route show table $t; done
     nft list table inet comps; ip -br address`,
  );

async function setUp(): Promise<void> {
  const first = await trySh(SETUP);
  const seen = await page();
  const before = await state();
  const second = await trySh(SETUP);
  const namesOf = (link: string): Promise<string> =>
    sh(`ip -d link show ${link} | sed -n 's/^    \\(wireguard\\|tun\\) .*/\\1/p'`);
  const kinds: Record<string, string> = {};
  for (const name of ['wg0', ...PATHS]) kinds[name] = await namesOf(name);
  for (const server of ['vpn1', 'vpn2', 'vpn3', 'comp1'])
    kinds[server] = await sh(
      `ip -n ${server} -d link show wg0 | sed -n 's/^    \\(wireguard\\|tun\\) .*/\\1/p'`,
    );
  const shaken = (await sh('wg show all latest-handshakes')).split('\n').map((line) => line.split('\t'));
  tell({
    topic: 'setup',
    codes: [first.code, second.code],
    errors: first.err + second.err,
    same: (await state()) === before,
    kinds,
    modules: (await sh("awk '/^wireguard / { print $1 }' /proc/modules")).split('\n'),
    processes: (await sh("ps -eo args= | grep -E '^(/\\S*/)?wireguard' || true")).split('\n').filter(Boolean),
    userspace: await sh('command -v wireguard-go || true'),
    handshakes: Object.fromEntries(shaken.map(([name = '', , time]) => [name, Number(time)])),
    seen,
  });
}

async function measureMtu(): Promise<void> {
  const links: { ifname: string; mtu: number }[] = JSON.parse(await sh('ip -j link show'));
  const mtu: Counts = {};
  for (const { ifname, mtu: bytes } of links) if (ifname.startsWith('wg')) mtu[ifname] = bytes;
  const most = (mtu.wg0 ?? 0) - 28;
  const whole = await trySh(`ping -c 3 -i 0.2 -W 5 -M do -s ${most} ${SITE}`);
  const more = await trySh(`ping -c 1 -W 5 -M do -s ${most + 1} ${SITE}`);
  const fragments = await fragmentsDuring(() => load(mtu.wg0 ?? 0, 2));
  // The router's own, so past no door.
  const control = await fragmentsDuring(() => trySh('ip netns exec net ping -c 1 -W 1 -s 3000 192.0.2.2'));
  tell({ topic: 'mtu', mtu, whole: whole.code === 0, tooLarge: more.err + more.out, fragments, control });
}

/** Packets past the tunnels that are told of each state. */
const EXAMPLES = 300;

/** Probes go on from before a deed until behind its healing. */
async function stateOf(watch: Watch, prober: Prober, { name, does, heal = SETUP }: Deed): Promise<Result> {
  let more: Counts | undefined;
  const { result: tried, past } = await watch.during(() =>
    prober.during(async () => {
      if (typeof does === 'string') await sh(does);
      else more = await does(prober);
      await prober.rounds();
      await sh(heal);
    }),
  );
  const examples = past.slice(0, EXAMPLES);
  return {
    topic: 'state',
    name,
    tried: { ...tried, ...more },
    past: past.length,
    examples,
    seen: await page(),
  };
}

async function matrix(watch: Watch): Promise<void> {
  const prober = new Prober('/tmp/tried');
  await prober.rounds();
  tell(await stateOf(watch, prober, OPEN));
  await sh(SETUP);
  for (const deed of DEEDS) tell(await stateOf(watch, prober, deed));
  prober.end();
}

type Seen = Omit<Migration, 'topic' | 'end' | 'events' | 'code' | 'errors'>;

/** Load while a migrate.ts runs, which goes on. */
async function loadWith(watch: Watch, migrator: Migrator): Promise<Seen> {
  const before = await sentBy();
  const { result, past } = await watch.during(() => load(1000, SECONDS));
  const paths = minus(await sentBy(), before);
  return { words: migrator.words, load: result, paths, past: past.length };
}

async function migration(watch: Watch, period: number): Promise<void> {
  const migrator = new Migrator(`--strategy rr --period ${period} --seed 42`);
  await migrator.has('switch', 2);
  const seen = await loadWith(watch, migrator);
  const code = await migrator.stop();
  const { events, errors, last: end } = migrator;
  tell({ topic: 'migration', ...seen, end, events, code, errors });
}

const countsOf = (line: Record<string, unknown> | undefined): Counts => (line?.packets ?? {}) as Counts;

async function split(watch: Watch): Promise<void> {
  const migrator = new Migrator(`--strategy packet --weights ${SPLIT.weights.join()} --seed ${SPLIT.seed}`);
  await migrator.has('split');
  const seen = await loadWith(watch, migrator);
  const code = await migrator.stop();
  const { events, errors, last: end } = migrator;
  const [start] = migrator.of('start');
  const left = await sh(
    'ip rule show pref 99; ip -6 rule show pref 99; nft list tables | grep split || true',
  );
  const counted = countsOf(migrator.of('counts').at(-1));
  tell({ topic: 'split', ...seen, end, events, code, errors, start: start ?? {}, counted, left });
}

await until('the site', async () => (await trySh('ip netns exec inet ss -Hlun sport = 7')).out !== '');
await setUp();
await measureMtu();
const watch = new Watch(textOf('leaks.filter'));
await watch.ready();
await matrix(watch);
for (const period of [0.1, 0.01]) await migration(watch, period);
await split(watch);
tell({ topic: 'end' });
process.exit(0);
