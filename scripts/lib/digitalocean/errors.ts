/** What a call to DigitalOcean failed at, in words for a person: cause and next step, never a token. */
import { EXIT, Fault } from '../cli.ts';
import { InDoubt, NotPermitted } from './api.ts';
import { networkError, PLACE, remedyOf } from './causes.ts';
import { clip, type Redact } from './redact.ts';
import type { Verb } from './retry.ts';
import { type Answer, ownError, type Reply } from './wire.ts';

/** What was asked for. */
export interface Asked {
  verb: Verb;
  /** Below the endpoint: `/droplets/7`. */
  path: string;
  /** What the token must be allowed for it: the scope itself, then those that go with it. */
  scopes: readonly [string, ...string[]];
}

/** How it went until the end. */
export interface Story {
  tries: number;
  /** Seconds. */
  spent: number;
  /** Seconds of silence that are too long. */
  timeout: number;
}

export interface Words {
  fault(asked: Asked, reply: Reply, story: Story): Fault;
  /** An answer with status 2xx that does not hold what it should; `why`: what is missing. */
  nonsense(asked: Asked, answer: Answer, why: string): Fault;
  /** Pages without end. */
  endless(asked: Asked, what: string): Fault;
  doubt(asked: Asked, reply: Reply, why?: string): InDoubt;
  /** A reply in a few words. */
  brief(reply: Reply): string;
  /** An error free of the token, with the stack of the one given. */
  defect(thrown: unknown): Error;
}

const AGAIN = 'run the same command again: it goes on from where it was';

const scopesOf = ([first, ...others]: Asked['scopes']): string =>
  others.length === 0 ? `the scope ${first}` : `the scope ${first}, or one of ${others.join(', ')}`;

/** `503: Unexpected server-side error; request 515850a0`: as much of it as there is. */
function said(answer: Answer): string {
  const message = ownError(answer.body);
  const parts = [
    message === undefined ? String(answer.status) : `${answer.status}: ${clip(message, 300)}`,
    ...(answer.requestId === undefined ? [] : [`request ${clip(answer.requestId, 60)}`]),
  ];
  return parts.join('; ');
}

/** What an answer that is none begins with; an object is not shown, as it may hold what is private. */
const excerpt = ({ body }: Answer): string =>
  typeof body === 'string' && body !== '' ? `: ${JSON.stringify(clip(body, 80))}` : '';

interface Parts {
  /** Fault unless given. */
  kind?: typeof NotPermitted;
  what: string;
  next: string;
  code: number;
}

function refusal(asked: Asked, answer: Answer): Parts {
  const own = ownError(answer.body);
  if (own === undefined)
    return {
      what: `${said(answer)}, and not in DigitalOcean's words${excerpt(answer)}`,
      next: PLACE,
      code: EXIT.unreachable,
    };
  const code = EXIT.refused;
  switch (answer.status) {
    case 401:
      return {
        what: `the token is not accepted (${said(answer)})`,
        next: 'export DO_TOKEN=… with a token that is valid; a new one: https://cloud.digitalocean.com/account/api/tokens',
        code,
      };
    case 403:
      return {
        kind: NotPermitted,
        what: `the token may not do this: it lacks ${scopesOf(asked.scopes)} (${said(answer)})`,
        next: 'make a token with these scopes, https://cloud.digitalocean.com/account/api/tokens, and export DO_TOKEN=…',
        code,
      };
    case 404:
      return { what: `there is no such thing (${said(answer)})`, next: PLACE, code };
    default:
      return {
        what: `refused (${said(answer)})`,
        next: remedyOf(own),
        code,
      };
  }
}

const howOften = ({ tries, spent }: Story): string =>
  tries === 1 ? 'in the only try' : `in ${tries} tries, ${Math.round(spent)} s`;

function ending(asked: Asked, reply: Reply, story: Story): Parts {
  const code = EXIT.unreachable;
  if (reply.kind === 'broken') {
    const [what, next] = networkError(reply);
    const silence = reply.code === 'ECONNABORTED' ? ` after ${story.timeout} s` : '';
    return { what: `${what}${silence} (${howOften(story)})`, next, code };
  }
  const { status, limits } = reply;
  if (status === 429) {
    const wait = limits.retryAfter ?? limits.resetIn;
    const when = wait === undefined ? 'later' : `in ${Math.ceil(wait / 1000)} s`;
    return {
      what: `the rate limit is used up (${said(reply)}; ${howOften(story)})`,
      next: `run the same command again ${when}: it goes on from where it was`,
      code,
    };
  }
  if (status === 408 || status >= 500)
    return {
      what: `it is in trouble (${said(reply)}; ${howOften(story)})`,
      next: `see https://status.digitalocean.com, then ${AGAIN}`,
      code,
    };
  return refusal(asked, reply);
}

/** What happened, for a create that may have been carried out, and for a wait. */
function happened(reply: Reply): string {
  if (reply.kind === 'broken') return networkError(reply)[0];
  const nonsense = ownError(reply.body) === undefined && reply.status < 500;
  return nonsense ? `answered nonsense (${said(reply)})${excerpt(reply)}` : `answered ${said(reply)}`;
}

/** A reply whose texts are free of the token: before any of them is cut, or a half of it might be left. */
function cleaned<R extends Reply>(reply: R, redact: Redact): R {
  if (reply.kind === 'broken') return { ...reply, detail: redact(reply.detail) };
  const { body, requestId } = reply;
  const own = ownError(body);
  return {
    ...reply,
    body:
      typeof body === 'string' ? redact(body) : own === undefined ? body : { id: '', message: redact(own) },
    requestId: requestId === undefined ? undefined : redact(requestId),
  };
}

/** All messages of one endpoint; every one of them goes through `redact`. */
export function wordsOf(endpoint: string, redact: Redact): Words {
  const placeOf = ({ verb, path }: Asked): string => `${verb} ${endpoint}${path}`;
  const fault = (asked: Asked, { kind = Fault, what, next, code }: Parts): Fault =>
    new kind({ at: redact(placeOf(asked)), what: redact(what), next: redact(next), code });
  return {
    fault: (asked, reply, story) => fault(asked, ending(asked, cleaned(reply, redact), story)),
    nonsense: (asked, answer, why) => {
      const clean = cleaned(answer, redact);
      const what = `it answers nonsense (${said(clean)}): ${clip(redact(why), 200)}${excerpt(clean)}`;
      return fault(asked, { what, next: PLACE, code: EXIT.unreachable });
    },
    endless: (asked, what) => fault(asked, { what, next: PLACE, code: EXIT.unreachable }),
    doubt: (asked, reply, why) => {
      const because = why === undefined ? '' : ` (${clip(redact(why), 200)})`;
      return new InDoubt(redact(`${placeOf(asked)}: ${happened(cleaned(reply, redact))}${because}`));
    },
    brief: (reply) => clip(happened(cleaned(reply, redact)), 120),
    defect: (thrown) => {
      const error = thrown instanceof Error ? thrown : new Error(String(thrown));
      const clean = new Error(redact(error.message));
      clean.stack = (error.stack ?? '').split('\n').map(redact).join('\n');
      return clean;
    },
  };
}
