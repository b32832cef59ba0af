/** Carries one call out: waits its turn, sends, tries again what may be tried again, reads the answer. */
import type { z } from 'zod';
import { Fault } from '../cli.ts';
import { InDoubt } from './api.ts';
import type { Asked, Words } from './errors.ts';
import { holdAfter, type Limiter } from './limiter.ts';
import { verdictOf, waitBefore } from './retry.ts';
import { type Answer, exchange, type Reply } from './wire.ts';

/** A call, and how its answer is read. */
export interface Call<T> extends Asked {
  send: () => ReturnType<Parameters<typeof exchange>[0]>;
  reads: z.ZodType<T>;
  /** What it resolves with where DigitalOcean has no such thing; a Fault unless given. */
  missing?: () => T;
}

export interface Carrier {
  limiter: Limiter;
  words: Words;
  /** Milliseconds from the first try; waiting for that is not counted. */
  patience: number;
  /** Milliseconds of silence that are too long. */
  timeout: number;
  /** Unix milliseconds on a clock that never goes back. */
  now: () => number;
  sleep: (ms: number) => Promise<void>;
  /** From 0 to 1. */
  random: () => number;
  onWait: (line: string) => void;
}

/** Waits for its turn, then sends. The time at which it was sent comes with the reply. */
async function sendOnce<T>(call: Call<T>, { limiter, patience, now }: Carrier): Promise<[Reply, number]> {
  const end = await limiter.turn();
  const sent = now();
  let hold = 0;
  try {
    const reply = await exchange(call.send, now);
    if (reply.kind === 'answer') hold = holdAfter(reply.status === 429, reply.limits, patience);
    return [reply, sent];
  } finally {
    end(hold);
  }
}

/** The first thing that is not as it should be, with its place: `droplet.id: expected number`. */
function whyOf({ issues: [issue] }: z.ZodError): string {
  const place = (issue?.path ?? []).join('.');
  return `${place === '' ? '' : `${place}: `}${issue?.message ?? 'not as expected'}`;
}

function readAnswer<T>(call: Call<T>, answer: Answer, words: Words): T {
  const read = call.reads.safeParse(answer.body);
  if (read.success) return read.data;
  throw call.verb === 'POST'
    ? words.doubt(call, answer, whyOf(read.error))
    : words.nonsense(call, answer, whyOf(read.error));
}

async function attempts<T>(call: Call<T>, carrier: Carrier): Promise<T> {
  const { words, patience, timeout, now, sleep, random, onWait } = carrier;
  let began: number | undefined;
  for (let tries = 1; ; tries++) {
    const [reply, sent] = await sendOnce(call, carrier);
    began ??= sent;
    const verdict = verdictOf(call.verb, reply);
    if (verdict === 'good' && reply.kind === 'answer') return readAnswer(call, reply, words);
    if (verdict === 'missing' && call.missing !== undefined) return call.missing();
    if (verdict === 'doubt') throw words.doubt(call, reply);
    const spent = now() - began;
    const wait = verdict === 'again' ? waitBefore(reply, tries, patience - spent, random()) : undefined;
    if (wait === undefined)
      throw words.fault(call, reply, { tries, spent: spent / 1000, timeout: timeout / 1000 });
    onWait(`${words.brief(reply)}, ${Math.ceil(wait / 1000)} s`);
    await sleep(wait);
  }
}

/** Carries out a call; rejects with a Fault, with InDoubt, or for a defect: none of them ever holds the token. */
export async function carryOut<T>(call: Call<T>, carrier: Carrier): Promise<T> {
  try {
    return await attempts(call, carrier);
  } catch (thrown) {
    throw thrown instanceof Fault || thrown instanceof InDoubt ? thrown : carrier.words.defect(thrown);
  }
}
