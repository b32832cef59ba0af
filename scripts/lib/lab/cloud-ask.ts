/** Asks a lab's cloud as its account's owner, past all of this project's own ways to do so. */
import { EXIT, Fault } from '../cli.ts';
import type { Lab } from './open.ts';

// Runs in the controller, where the variables of the account are; the token is in no command line.
const ASK = `
const [method, path, body] = process.argv.slice(1);
const headers = { authorization: 'Bearer ' + process.env.DO_TOKEN, 'content-type': 'application/json' };
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
      next: `npx zx scripts/lab.ts cloud --name ${lab.name}`,
      code: EXIT.unreachable,
    });
  const { status, text } = JSON.parse(stdout) as { status: number; text: string };
  return { status, body: text === '' ? undefined : JSON.parse(text) };
}

/** How many droplets with a tag the account has, by what the API says. */
export async function dropletCount(lab: Lab, tag: string): Promise<number> {
  const { body } = await askCloud(lab, 'GET', `/droplets?per_page=1&tag_name=${encodeURIComponent(tag)}`);
  return (body as { meta: { total: number } }).meta.total;
}
