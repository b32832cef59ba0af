/**
 * Which paths are left out of a schedule, by what WireGuard tells of them. All pure.
 *
 * Two of WireGuard's own times (its paper, and the same in every implementation): a session is good for 180 s after its
 * handshake (REJECT_AFTER_TIME), and whoever is sent data answers within 10 s, with an empty packet if with nothing else
 * (KEEPALIVE_TIMEOUT); after 5 s more (REKEY_TIMEOUT) without an answer the sender asks for a new handshake, and again
 * each 5 s. A session that nothing is sent on is not renewed: its age alone says nothing.
 */
const FRESH_S = 180;
const ASKS_S = 15;

/** Two answers in a row may be lost, and the first two requests for a new handshake. */
export const SILENT_S = 25;

/** Bytes of a request for a handshake: a proxy that hears nothing any more still sends them, each 5 s. */
const REQUEST_BYTES = 148;
/** As many as come between two looks, a second apart; what has the size of more is data. */
const REQUESTS = 2;

/** Bytes of an empty packet, and how often the persistent keepalive sends one, seconds: they ask for no answer. */
const EMPTY_BYTES = 32;
const KEEPALIVE_S = 25;

/** What is known of a tunnel at one moment. */
export interface Seen {
  /** The interface is there and up. */
  up: boolean;
  /** What `wg` says; undefined where it does not know the interface. */
  wg: { handshake: number; received: number; sent: number } | undefined;
}

/** All tunnels at one moment. */
export interface Sample {
  /** Seconds, monotonic. */
  at: number;
  /** Seconds since 1970, by which WireGuard tells the time of a handshake. */
  epoch: number;
  seen: ReadonlyMap<string, Seen>;
}

/** Why a path is left out: no interface; no answer from `wg`; no fresh handshake; nothing came back for what was sent. */
export type Reason = 'gone' | 'unknown' | 'stale' | 'silent';

/** What the judge remembers of a path. */
export interface PathHealth {
  out: Reason | undefined;
  /**
   * The handshake that was seen last, and how many seconds it was old at which moment. `doubtful`: by the clock alone,
   * which may have been set since.
   */
  handshake: { time: number; age: number; at: number; doubtful: boolean } | undefined;
  /** When it last got an answer, and what it had sent by then; `bytes` is all that it received. */
  received: { bytes: number; sent: number; at: number } | undefined;
  /** When it was first seen to have sent data that were not answered since. */
  waitsSince: number | undefined;
  /** The moment of the sample. */
  at: number;
}

const isOld = ({ age, at }: { age: number; at: number }, now: number): boolean => age + (now - at) > FRESH_S;

/** Empty packets of its own that a tunnel may send in so many seconds: one as an answer, and its keepalives. */
const empties = (seconds: number): number => EMPTY_BYTES * (2 + Math.floor(seconds / KEEPALIVE_S));

/**
 * The age of a handshake: as the clock has it at first sight, then by the monotonic clock; one that was made between two
 * samples is no older than the first. So nobody who sets the clock makes a path look dead for longer than until something
 * is heard on it, which no session is good for that is older than 180 s.
 */
function handshakeOf(
  before: PathHealth | undefined,
  time: number,
  { at, epoch }: Sample,
  heard: boolean,
): PathHealth['handshake'] {
  if (time === 0) return undefined;
  const known = before?.handshake;
  if (known?.time === time) {
    return heard && known.doubtful && isOld(known, at) ? { time, age: 0, at, doubtful: false } : known;
  }
  const age = Math.max(0, epoch - time);
  const seen = before?.received !== undefined;
  return { time, age: seen ? Math.min(age, at - before.at) : age, at, doubtful: !seen };
}

/** Whether what came in since the last look is anything but requests for a handshake. */
const isAnswer = (bytes: number): boolean => bytes % REQUEST_BYTES !== 0 || bytes > REQUESTS * REQUEST_BYTES;

function judgePath(before: PathHealth | undefined, seen: Seen | undefined, sample: Sample): PathHealth {
  const { at } = sample;
  const nothing = { handshake: undefined, received: undefined, waitsSince: undefined, at };
  if (seen === undefined || !seen.up) return { ...nothing, out: 'gone' };
  const { wg } = seen;
  // What never was WireGuard's cannot be judged by it.
  if (wg === undefined)
    return before?.received === undefined && before?.out !== 'unknown'
      ? { ...nothing, out: undefined }
      : { ...nothing, out: 'unknown' };
  const anew =
    before?.received !== undefined && (wg.received < before.received.bytes || wg.sent < before.received.sent);
  const past = anew ? undefined : before;
  const last = past?.received;
  const answered = last !== undefined && isAnswer(wg.received - last.bytes);
  const handshake = handshakeOf(past, wg.handshake, sample, answered);
  const heard = last === undefined || answered || handshake !== past?.handshake;
  const received = heard ? { bytes: wg.received, sent: wg.sent, at } : { ...last, bytes: wg.received };
  const asked = wg.sent - received.sent > empties(at - received.at);
  const waitsSince = (heard ? undefined : past?.waitsSince) ?? (asked ? at : undefined);
  const waits = waitsSince === undefined ? 0 : at - waitsSince;
  // A tunnel that has just been made has asked for its first handshake once; it asks again after 5 s.
  const old =
    handshake === undefined
      ? wg.sent > REQUEST_BYTES
      : isOld(handshake, at) && (handshake.age > FRESH_S || waits > ASKS_S);
  const silent = waits > SILENT_S;
  // One that came back with a handshake alone may still be deaf to data: the next 25 s tell.
  return { out: old ? 'stale' : silent ? 'silent' : undefined, handshake, received, waitsSince, at };
}

/** The state of each path after a sample, from the state before it; `names` in the schedule's order. */
export const judge = (
  before: readonly PathHealth[],
  names: readonly string[],
  sample: Sample,
): PathHealth[] => names.map((name, i) => judgePath(before[i], sample.seen.get(name), sample));

/**
 * The path that an entry uses (indices, as are all): its own; where that is left out the current one; where that is too,
 * the next one that is not. Where all are, the current one stays, a dead tunnel, out of which nothing gets.
 */
export function detour(
  planned: number,
  current: number | undefined,
  paths: number,
  out: ReadonlySet<number>,
): number {
  if (!out.has(planned)) return planned;
  if (current !== undefined && !out.has(current)) return current;
  for (let step = 1; step < paths; step++) {
    const next = (planned + step) % paths;
    if (!out.has(next)) return next;
  }
  return current ?? planned;
}

const INTERFACE = /^\d+: ([^:@\s]+)[:@]/;

/**
 * Reads what the watch prints at each look: the interfaces that are up, a line `=`, then `wg`'s latest handshakes, `=`,
 * and its transfer. A tunnel has one peer, and two of them for a moment while its keys are changed, told in any order.
 */
export function readLook(text: string, names: readonly string[]): Map<string, Seen> {
  const [links = '', handshakes = '', transfers = ''] = text.split(/^=\n/m);
  const up = new Set(links.split('\n').map((line) => INTERFACE.exec(line)?.[1]));
  const rows = (table: string, both: (a: number, b: number) => number): Map<string, number[]> => {
    const found = new Map<string, number[]>();
    for (const line of table.split('\n')) {
      const [name = '', , ...numbers] = line.split('\t');
      const other = found.get(name);
      found.set(
        name,
        numbers.map((text, i) => both(Number(text), other?.[i] ?? 0)),
      );
    }
    return found;
  };
  const made = rows(handshakes, Math.max);
  const moved = rows(transfers, (a, b) => a + b);
  return new Map(
    names.map((name) => {
      const handshake = made.get(name)?.[0];
      const [received, sent] = moved.get(name) ?? [];
      const known = handshake !== undefined && received !== undefined && sent !== undefined;
      return [name, { up: up.has(name), wg: known ? { handshake, received, sent } : undefined }];
    }),
  );
}
