/** Docker on this computer: whether it can bring the client or the demo up, and what to type. */
import { EXIT, Fault } from '../cli.ts';
import { exists } from '../files.ts';
import { attempt } from '../transport/local.ts';

/** The oldest docker-compose that reads our files, which name no version. */
const OLDEST = [1, 27] as const;

/** Whether the version that `docker-compose version --short` prints is new enough. */
export function newEnough(version: string): boolean {
  const [, major, minor] = /^v?(\d+)\.(\d+)/.exec(version.trim()) ?? [];
  if (major === undefined) return false;
  return Number(major) > OLDEST[0] || (Number(major) === OLDEST[0] && Number(minor) >= OLDEST[1]);
}

/** What the two programs that may be there said of their version; undefined for one that is not. */
export interface Composes {
  standalone: string | undefined;
  plugin: string | undefined;
}

/** The words to type, or what is wrong. */
export function composeWords({ standalone, plugin }: Composes): string | Fault {
  if (standalone !== undefined && newEnough(standalone)) return 'docker-compose';
  if (plugin !== undefined && newEnough(plugin)) return 'docker compose';
  const next = 'sudo apt-get install docker-compose';
  if (standalone === undefined && plugin === undefined)
    return new Fault({ what: 'docker-compose is missing, and so is Docker’s compose plugin', next });
  return new Fault({
    what: `docker-compose ${(standalone ?? plugin)?.trim()} is too old: ${OLDEST.join('.')} or newer is needed`,
    next,
  });
}

const versionOf = async (words: string[]): Promise<string | undefined> => {
  const { code, stdout } = await attempt([...words, 'version', '--short']);
  return code === 0 ? stdout : undefined;
};

/** The compose of this computer. */
export async function findCompose(): Promise<string | Fault> {
  const [standalone, plugin] = await Promise.all([
    versionOf(['docker-compose']),
    versionOf(['docker', 'compose']),
  ]);
  return composeWords({ standalone, plugin });
}

/** Why the engine does not answer; undefined where it does. */
export async function engineTrouble(): Promise<Fault | undefined> {
  const { code, stderr } = await attempt(['docker', 'version', '--format', '{{.Server.Version}}']);
  if (code === 0) return undefined;
  if (code === 127)
    return new Fault({
      what: 'docker is missing',
      next: 'sudo apt-get install docker.io docker-compose',
      code: EXIT.unreachable,
    });
  const there = process.env.DOCKER_HOST;
  const start = there === undefined ? 'sudo systemctl start docker' : `is it there? DOCKER_HOST=${there}`;
  const denied = /permission denied/i.test(stderr);
  return new Fault({
    what: `the Docker engine does not answer: ${stderr.trim().split('\n').at(-1)}`,
    next: denied ? 'sudo usermod -aG docker "$USER", and log in again' : start,
    code: EXIT.unreachable,
  });
}

/** Neither of the two ways to WireGuard is here; undefined where one is, or where the engine is elsewhere. */
async function wireguardTrouble(): Promise<Fault | undefined> {
  const elsewhere = process.platform !== 'linux' || /^(tcp|ssh|http)/.test(process.env.DOCKER_HOST ?? '');
  if (elsewhere || exists('/dev/net/tun') || exists('/sys/module/wireguard')) return undefined;
  if ((await attempt(['modinfo', 'wireguard'])).code === 0) return undefined;
  return new Fault({
    what: 'no WireGuard in this kernel, and no /dev/net/tun for wireguard-go',
    next: 'sudo modprobe tun (or wireguard)',
  });
}

/** What stands in the way of `docker-compose up`, and the words to type for docker-compose. */
export async function preflight(): Promise<{ compose: string; troubles: Fault[] }> {
  const [engine, compose, wireguard] = await Promise.all([
    engineTrouble(),
    findCompose(),
    wireguardTrouble(),
  ]);
  const troubles = [engine, compose, wireguard].filter((trouble) => trouble instanceof Fault);
  return { compose: compose instanceof Fault ? 'docker-compose' : compose, troubles };
}
