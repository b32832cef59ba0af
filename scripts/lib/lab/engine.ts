/** A Docker engine of the lab's own: whatever it and its containers do to the network stays in the lab. */
import { join } from 'node:path';
import { Fault } from '../cli.ts';
import { exists } from '../files.ts';
import { attempt, type LocalOptions } from '../transport/local.ts';
import { endEngine } from './clear.ts';
import { answers, docker, leaderOf, startDaemon, stopDaemon } from './engine-daemon.ts';
import type { Built } from './engine-images.ts';
import { ensureDocker } from './engine-packages.ts';
import { dockerEnvironment, engineSeat, engineWords, type Seat } from './engine-place.ts';
import { fillStore, type Store, storeHere, withStore } from './engine-store.ts';
import { buildNetwork } from './network.ts';
import type { Lab, Outcome } from './open.ts';
import { nameOf, type Place, placeOf } from './place.ts';
import { readState } from './state.ts';
import { alone } from './up.ts';

export interface Engine {
  /** Of the daemon, as a path. */
  socket: string;
  /** The name for `ip netns`. */
  namespace: string;
  /** For docker and docker-compose of this computer. */
  environment: NodeJS.ProcessEnv;
  /** Process 1 of all that the engine runs, by the number it has outside. */
  leader: number;
  /** The command line that runs `words` in the engine's namespace, where docker means this engine. */
  words(words: readonly string[]): string[];
  /** Runs `words` there, whatever they end with. */
  exec(words: readonly string[], options?: LocalOptions): Promise<Outcome>;
  /** The interface of a network of Docker's, in the engine's namespace, for a capture. */
  bridge(network: string): Promise<string>;
  /** Stops all containers and the engine. */
  stop(): Promise<void>;
}

const BRIDGE_FORMAT = '{{.Id}} {{with index .Options "com.docker.network.bridge.name"}}{{.}}{{end}}';

/** The interface's name: as the network's options say, else made of its id. */
async function bridgeOf(seat: Seat, network: string): Promise<string> {
  const { code, stdout, stderr } = await docker(seat, [
    'network',
    'inspect',
    '--format',
    BRIDGE_FORMAT,
    network,
  ]);
  if (code !== 0) throw new Fault({ at: `docker network ${network}`, what: stderr.trim() });
  const [id = '', name] = stdout.trim().split(' ');
  return name || `br-${id.slice(0, 12)}`;
}

function open(place: Place, leader: number): Engine {
  const seat = engineSeat(place);
  return {
    socket: seat.socket,
    namespace: nameOf(place, 'engine'),
    environment: dockerEnvironment(seat),
    leader,
    words: (words) => engineWords(place, words),
    exec: (words, options) => attempt(engineWords(place, words), options),
    bridge: (network) => bridgeOf(seat, network),
    stop: async () => {
      await stopDaemon(seat);
      await endEngine(place);
    },
  };
}

/** The engine of a lab; undefined where none runs. */
export async function engineOf({ name }: Pick<Lab, 'name'>): Promise<Engine | undefined> {
  const place = placeOf(name);
  const leader = leaderOf(engineSeat(place));
  return leader !== undefined && (await answers(engineSeat(place))) ? open(place, leader) : undefined;
}

async function start(place: Place, { data, lock }: Store): Promise<Engine> {
  if (readState(place) === undefined)
    throw new Fault({
      what: `the lab "${place.name}" was taken down meanwhile`,
      next: `npx zx scripts/lab.ts up --engine --name ${place.name}`,
    });
  const seat = engineSeat(place);
  await endEngine(place);
  try {
    await buildNetwork(place, ['engine']);
    const log = join(place.directory, 'log', 'engine.log');
    const net = { namespace: nameOf(place, 'engine') };
    await startDaemon(seat, { net, data, lock, log, bound: false });
  } catch (error) {
    await endEngine(place);
    throw error;
  }
  const leader = leaderOf(seat);
  if (leader !== undefined) return open(place, leader);
  throw new Fault({ at: 'engine', what: 'it ended as soon as it was up' });
}

export interface EngineOptions {
  /** The build context of the images, in place of client/. */
  context?: string;
  /** Debian mirror for the first time. */
  mirror?: string | undefined;
  /** Is told what was built, with times and sizes. */
  onBuilt?: (built: Built[]) => void;
}

/** Starts an engine in a lab that is up, with the project's images in it; the one that runs, if one does. */
export async function startEngine(lab: Pick<Lab, 'name'>, options: EngineOptions = {}): Promise<Engine> {
  const place = placeOf(lab.name);
  const running = await engineOf(lab);
  if (running !== undefined) return running;
  await ensureDocker();
  const { context = join(place.project, 'client'), mirror, onBuilt } = options;
  const store = storeHere();
  // Remains of this lab's own engine would be waited for.
  if (exists(engineSeat(place).folder)) await alone(place, () => endEngine(place));
  const build = async (): Promise<Engine> => {
    const built = await fillStore(store, context, mirror);
    onBuilt?.(built);
    return alone(place, () => start(place, store));
  };
  // Another command may be at the same for the same lab, and be first.
  return withStore(store, build, () => engineOf(lab));
}
