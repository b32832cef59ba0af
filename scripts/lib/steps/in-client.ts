/** Where the client is, and shell run there: a container, the client of a lab, or this machine itself. */
import type { Command } from 'commander';
import { EXIT, Fault } from '../cli.ts';
import { engineTrouble } from '../transport/docker.ts';
import { attempt } from '../transport/local.ts';
import type { Answer } from '../transport/transport.ts';

/** What the flags of {@link withClientFlags} give. */
export interface ClientFlags {
  container?: string;
  lab?: string | true;
  here?: true;
  /** False by `--no-client`. */
  client?: boolean;
}

export type ClientPlace = {
  /** Somebody named it; else it is where it usually is, if it is there. */
  named: boolean;
} & ({ kind: 'container' | 'lab'; name: string } | { kind: 'here' });

/** The container of client/docker-compose.yml. */
export const USUAL_CONTAINER = 'wgclient';

/** The flags that say where the client is. */
export const withClientFlags = (program: Command): Command =>
  program
    .option(
      '--container <name>',
      `the container that is the client (default: "${USUAL_CONTAINER}", if it is there)`,
    )
    .option('--lab [name]', 'the client of a lab (in a lab: of that one)')
    .option('--here', 'this machine is the client itself')
    .option('--no-client', 'leave the client out');

/** The lab whose controller this runs in; by what `lab.ts exec` has set. */
function ownLab(env: NodeJS.ProcessEnv): string | undefined {
  const exec = env.COMPS_LAB_EXEC;
  return exec === undefined ? undefined : (/ --name (\S+)/.exec(exec)?.[1] ?? 'lab');
}

/** Where the client is; undefined where it is left out. Throws a Fault where two places are named. */
export function clientPlace(flags: ClientFlags, env = process.env): ClientPlace | undefined {
  const { container, lab, here, client } = flags;
  const named = [
    ...(container === undefined ? [] : ['--container']),
    ...(lab === undefined ? [] : ['--lab']),
    ...(here ? ['--here'] : []),
    ...(client === false ? ['--no-client'] : []),
  ];
  if (named.length > 1)
    throw new Fault({
      at: named[0] ?? '',
      what: `contradicts ${named.slice(1).join(' and ')}`,
      next: 'give one of them',
    });
  if (client === false) return undefined;
  if (here) return { kind: 'here', named: true };
  const own = ownLab(env);
  if (lab !== undefined) return { kind: 'lab', name: lab === true ? (own ?? 'lab') : lab, named: true };
  if (container !== undefined) return { kind: 'container', name: container, named: true };
  return own === undefined
    ? { kind: 'container', name: USUAL_CONTAINER, named: false }
    : { kind: 'lab', name: own, named: false };
}

/** `container wgclient`, `lab’s client (second)`, `this machine`. */
export function placeText(place: ClientPlace): string {
  if (place.kind === 'here') return 'this machine';
  return place.kind === 'container' ? `container ${place.name}` : `client of lab ${place.name}`;
}

const gone = (place: ClientPlace, what: string, next?: string): Fault =>
  new Fault({
    at: placeText(place),
    what,
    ...(next === undefined ? {} : { next }),
    code: EXIT.unreachable,
  });

/** Why nothing could be run in a container. */
async function containerTrouble(place: ClientPlace & { name: string }): Promise<Fault> {
  const trouble = await engineTrouble();
  if (trouble !== undefined) return gone(place, trouble.message, trouble.next);
  const words = ['docker', 'container', 'inspect', '--format', '{{.State.Running}}', place.name];
  const { code, stdout } = await attempt(words);
  if (code !== 0) return gone(place, 'there is no such container', 'cd client && docker-compose up -d');
  return stdout.trim() === 'true'
    ? gone(place, 'no shell could be run in it', `docker exec ${place.name} true`)
    : gone(place, 'this container does not run', `docker start ${place.name}`);
}

/** What is said first, so that an answer is told from a failure of the way there. */
const HERE = 'comps-client-answers';

/** Runs a POSIX sh script in the client as its root; rejects with an unreachable Fault where there is none. */
export async function shellInClient(place: ClientPlace, script: string): Promise<Answer> {
  const shell = ['sh', '-s'];
  const words =
    place.kind === 'here'
      ? shell
      : place.kind === 'lab'
        ? // Much, and for labs alone: not read before it is needed.
          (await import('../lab/open.ts')).openLab(place.name).words('client', shell)
        : ['docker', 'exec', '--interactive', '--user', '0', place.name, ...shell];
  const answer = await attempt(words, { input: `echo ${HERE}\n${script}` });
  if (answer.stdout.startsWith(`${HERE}\n`))
    return { ...answer, stdout: answer.stdout.slice(HERE.length + 1) };
  if (place.kind === 'container') throw await containerTrouble(place);
  const said = answer.stderr.trim().split('\n').at(-1);
  throw gone(place, `no shell could be run there${said ? `: ${said}` : ''}`);
}
