/** Where a Docker daemon of the lab lives, and how commands reach it; nothing here runs anything. */
import { nameOf, type Place } from './place.ts';

/** What a daemon owns on this computer, all of it called like the daemon itself. */
export interface Seat {
  name: string;
  /** Sockets have paths of 107 bytes at most, so this folder is no part of the lab's own. */
  folder: string;
  socket: string;
  /** daemon.json; as a word of its command line it marks every process of the daemon. */
  settings: string;
  /** The cgroup that the containers' own are made in. */
  cgroup: string;
}

export function seatOf(name: string): Seat {
  const folder = `/run/${name}`;
  return {
    name,
    folder,
    socket: `${folder}/docker.sock`,
    settings: `${folder}/daemon.json`,
    cgroup: `/${name}`,
  };
}

/** The seat of a lab's engine. */
export const engineSeat = (place: Place): Seat => seatOf(nameOf(place, 'engine'));

/** What would lead docker and docker-compose to another engine, another project, or another way of building. */
const ASTRAY = [
  ...['DOCKER_CONTEXT', 'DOCKER_TLS', 'DOCKER_TLS_VERIFY', 'DOCKER_CERT_PATH', 'DOCKER_API_VERSION'],
  ...['COMPOSE_FILE', 'COMPOSE_PROJECT_NAME', 'COMPOSE_PROFILES'],
];

/** The builder that is part of the engine, also where docker has another one as a plugin. */
const dockerVariables = ({ socket }: Seat): Record<string, string> => ({
  DOCKER_HOST: `unix://${socket}`,
  DOCKER_BUILDKIT: '0',
  COMPOSE_DOCKER_CLI_BUILD: '0',
});

/** An environment in which docker and docker-compose mean this daemon. */
export function dockerEnvironment(seat: Seat, given: NodeJS.ProcessEnv = process.env): NodeJS.ProcessEnv {
  const kept = Object.entries(given).filter(([name]) => !ASTRAY.includes(name));
  return { ...Object.fromEntries(kept), ...dockerVariables(seat) };
}

/** The command line that runs `words` in a lab's engine namespace, with this computer's files, in the current folder. */
export const engineWords = (place: Place, words: readonly string[]): string[] => [
  // Not `ip netns exec`, which would hide the cgroups.
  'nsenter',
  `--net=/run/netns/${nameOf(place, 'engine')}`,
  'env',
  ...ASTRAY.flatMap((name) => ['-u', name]),
  ...Object.entries(dockerVariables(engineSeat(place))).map(([name, value]) => `${name}=${value}`),
  ...words,
];
