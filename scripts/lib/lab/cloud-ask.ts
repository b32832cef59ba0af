/** Asks a lab's cloud as its account's owner, past all of this project's own ways to do so. */
import { EXIT, Fault } from '../cli.ts';
import { TOKEN_VARIABLE } from './cloud-seat.ts';
import type { Lab } from './open.ts';
import { labCommand } from './place.ts';

// Runs in the controller, where the variables of the account are; the token is in no command line.
const ASK = `
const [method, path, body] = process.argv.slice(1);
const headers = { authorization: 'Bearer ' + process.env.${TOKEN_VARIABLE}, 'content-type': 'application/json' };
const answer = await fetch(process.env.DIGITALOCEAN_API_URL + path, { method, headers, body });
console.log(JSON.stringify({ status: answer.status, text: await answer.text() }));`;

export interface Answer {
  status: number;
  /** Its JSON; undefined where it has none. */
  body: unknown;
}

/** Sends a request to the API, as `GET`, `/droplets?per_page=200`; a Fault where nothing answers. */
export async function askCloud(lab: Lab, method: string, path: string, body?: unknown): Promise<Answer> {
  const json = body === undefined ? [] : [JSON.stringify(body)];
  const words = [process.execPath, '--input-type=module', '--eval', ASK, '--', method, path, ...json];
  const { code, stdout, stderr } = await lab.controller(words);
  if (code !== 0)
    throw new Fault({
      at: `the cloud of the lab "${lab.name}"`,
      what: `does not answer: ${stderr.trim().split('\n').at(-1)}`,
      next: labCommand('cloud', lab.name),
      code: EXIT.unreachable,
    });
  const { status, text } = JSON.parse(stdout) as { status: number; text: string };
  try {
    return { status, body: JSON.parse(text) };
  } catch {
    return { status, body: undefined };
  }
}

/** Names of the droplets with a tag that the account has (80 at most), by what the API says. */
export async function dropletNames(lab: Lab, tag: string): Promise<string[]> {
  const { body } = await askCloud(lab, 'GET', `/droplets?per_page=200&tag_name=${encodeURIComponent(tag)}`);
  return (body as { droplets: { name: string }[] }).droplets.map(({ name }) => name);
}

/** How many of the droplets that are wanted are not there. */
export const lackingOf = (wanted: readonly string[], there: readonly string[]): number =>
  wanted.filter((name) => !there.includes(name)).length;
