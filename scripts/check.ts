/** `check.ts` on the host: has the check run where the client is, and passes on what it says and ends with. */
import { fileURLToPath } from 'node:url';
import { command, exitWith, Fault, main } from './lib/cli.ts';
import { execIn } from './lib/lab/exec.ts';
import { engineTrouble } from './lib/transport/docker.ts';
import { attempt, handOver } from './lib/transport/local.ts';

const OWN = fileURLToPath(new URL('../client/scripts/check.ts', import.meta.url));
/** As it is typed inside the client. */
const INSIDE = ['npx', 'zx', '/comps/check.ts'];
/** The other places where a client may be. */
const ELSEWHERE = '--lab for the lab’s client, --here for this machine, --container NAME';

interface Flags {
  container: string;
  lab?: string | true;
  here?: true;
}

/** Refuses a container that is not there or does not run. */
async function requireContainer(name: string): Promise<void> {
  const trouble = await engineTrouble();
  if (trouble !== undefined)
    throw new Fault({ what: trouble.message, next: `${trouble.next}; or ${ELSEWHERE}`, code: trouble.code });
  const format = '{{.State.Running}}';
  const { code, stdout } = await attempt(['docker', 'container', 'inspect', '--format', format, name]);
  if (code !== 0)
    throw new Fault({
      at: name,
      what: 'there is no such container',
      next: `cd client && docker-compose up -d; or ${ELSEWHERE}`,
    });
  if (stdout.trim() !== 'true')
    throw new Fault({ at: name, what: 'this container does not run', next: `docker start ${name}` });
}

async function inContainer(name: string, flags: readonly string[]): Promise<number> {
  await requireContainer(name);
  // With a terminal of its own, so that Ctrl-C reaches what runs inside.
  const terminal = process.stdin.isTTY && process.stdout.isTTY ? ['--interactive', '--tty'] : [];
  const colours = process.env.NO_COLOR ? ['--env', 'NO_COLOR=1'] : [];
  return handOver(['docker', 'exec', ...terminal, ...colours, name, ...INSIDE, ...flags]);
}

async function run(flags: string[], { container, lab, here }: Flags): Promise<void> {
  if (here && lab !== undefined)
    throw new Fault({ at: '--here', what: 'is another place than --lab', next: 'give one of them' });
  if (here) exitWith(await handOver([process.execPath, ...process.execArgv, OWN, ...flags]));
  else if (lab !== undefined)
    exitWith(await execIn(lab === true ? 'lab' : lab, ['client', ...INSIDE, ...flags], []));
  else exitWith(await inContainer(container, flags));
}

await main(
  command('check.ts', 'Says whether anything can leave the client past its tunnels.')
    .usage('[--container NAME | --lab [NAME] | --here] [flags of the check]')
    .option('--container <name>', 'the container that is the client', 'wgclient')
    .option('--lab [name]', 'the client of a lab (default: "lab")')
    .option('--here', 'this machine is the client itself')
    .argument('[flags...]', 'of the check: --target ADDRESS, --exit-url URL, --gentle, --mode MODE, --json')
    .allowUnknownOption()
    .addHelpText(
      'after',
      `
  --target ADDRESS   where probes are sent, in vain where all is closed (default: 192.0.2.1 and 2001:db8::1)
  --exit-url URL     a page that prints the caller’s address: asked by each path alone, and as every program goes
  --gentle           interrupt nothing: leave out what breaks something for a moment to see what happens
  --mode MODE        refuse to begin where this client is in another mode: wireguard or quic
  --json             one JSON document, for programs

Exit 0: all is ok. 2: something is not. 1: it cannot be run. 4: the Docker engine does not answer.`,
    )
    .action(run),
);
