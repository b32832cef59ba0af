/** The demo as it runs: its machines, and words run in the client. */
import { EXIT, Fault } from '../cli.ts';
import { engineTrouble } from '../transport/docker.ts';
import { attempt, run } from '../transport/local.ts';

export const CLIENT = 'wg_client';

export interface Machine {
  name: string;
  /** As Docker says it: `Up 2 minutes (healthy)`. */
  state: string;
}

/** Reads `docker ps --format '{{.Names}}\t{{.Status}}'`. */
export const machinesIn = (listing: string): Machine[] =>
  listing
    .split('\n')
    .filter((line) => line.includes('\t'))
    .map((line) => {
      const [name = '', state = ''] = line.split('\t');
      return { name, state };
    })
    .sort((a, b) => a.name.localeCompare(b.name, 'en', { numeric: true }));

export const isHealthy = ({ state }: Machine): boolean => /^Up .*\(healthy\)/.test(state);

/** All machines of the demo, also those that have ended. */
export async function machines(): Promise<Machine[]> {
  const trouble = await engineTrouble();
  if (trouble !== undefined) throw trouble;
  return machinesIn(
    await run([
      'docker',
      'ps',
      '--all',
      ...['--filter', 'label=comps.rendering', '--format', '{{.Names}}\t{{.Status}}'],
    ]),
  );
}

/** A Fault where the demo is not up; the client must be healthy, all its tunnels with it. */
export async function requireDemo(): Promise<void> {
  const all = await machines();
  const client = all.find(({ name }) => name === CLIENT);
  if (client === undefined)
    throw new Fault({
      what: 'the demo is not up',
      next: 'npx zx scripts/wg-migrate.ts && cd wg-migrate && docker-compose up -d',
    });
  const ill = all.filter((machine) => !isHealthy(machine) && /^(wg|site)/.test(machine.name));
  if (ill.length === 0) return;
  const [first] = ill;
  throw new Fault({
    at: ill.map(({ name, state }) => `${name} (${state})`).join(', '),
    what: 'not healthy, so nothing can be measured',
    next: `docker logs ${first?.name}; then docker-compose up -d in the demo’s folder`,
    code: EXIT.failed,
  });
}

/** Runs words in the client, whatever they end with. */
export const tryInClient = (...words: string[]) => attempt(['docker', 'exec', CLIENT, ...words]);

/** Runs words in the client that must succeed. */
export const inClient = (...words: string[]): Promise<string> => run(['docker', 'exec', CLIENT, ...words]);
