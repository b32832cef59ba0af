/**
 * Faults on demand. Text form, for the command line:
 *
 *     KIND[=VALUE][:METHOD PATH][:TIMES][@NTH]
 *
 *     429:POST /v2/droplets:2         the next two creates
 *     429=3:GET /v2/*                 with `retry-after: 3`; `*` stands for any text
 *     500-after:POST /v2/droplets     the create is carried out, then answered 500
 *     422=limit                       POST /v2/droplets, as that is where it can happen
 *     503:GET /v2/regions:always
 *     errored=wgnet2                  the next droplet of that name
 *     scopes=account:read,droplet:read
 *     hang-after:POST /v2/droplets:1@3  only from the third create on
 *
 * Without METHOD PATH the kind's usual place counts, without TIMES once. `scopes` counts everywhere and always, and a droplet's
 * fate is decided where it is made or deleted.
 */
import { Fault } from '../../cli.ts';
import { nearest } from '../../text.ts';
import { UNPROCESSABLE } from './refusal.ts';

const CREATE = 'POST /v2/droplets';
const ANY = '* *';
const ONE = '/v2/droplets/*';

/** Each kind's usual place, and what its VALUE is. */
const KINDS = {
  /** VALUE: seconds for `retry-after`; without, there is none. */
  '429': { on: ANY, value: 'seconds' },
  '401': { on: ANY, value: 'none' },
  '403': { on: ANY, value: 'none' },
  '404': { on: `GET ${ONE}`, value: 'none' },
  /** VALUE: a key of UNPROCESSABLE; `pending` is for deletes. */
  '422': { on: CREATE, value: 'unprocessable' },
  '500': { on: ANY, value: 'none' },
  '502': { on: ANY, value: 'none' },
  '503': { on: ANY, value: 'none' },
  '504': { on: ANY, value: 'none' },
  /** No answer, and the connection stays open. */
  hang: { on: ANY, value: 'none' },
  /** No answer, and the connection is reset. */
  reset: { on: ANY, value: 'none' },
  /** An HTML page with status 200. */
  html: { on: ANY, value: 'none' },
  /** The same, the request carried out first. */
  '403-after': { on: CREATE, value: 'none' },
  '500-after': { on: CREATE, value: 'none' },
  '502-after': { on: CREATE, value: 'none' },
  '503-after': { on: CREATE, value: 'none' },
  '504-after': { on: CREATE, value: 'none' },
  'hang-after': { on: CREATE, value: 'none' },
  'reset-after': { on: CREATE, value: 'none' },
  'html-after': { on: CREATE, value: 'none' },
  /** Carried out, and answered VALUE seconds late. */
  slow: { on: ANY, value: 'seconds!' },
  /** The token has these scopes only. */
  scopes: { on: ANY, value: 'scopes' },
  /** The droplet's create action errors, and it stays `new` without a machine. VALUE here and below: its name. */
  errored: { on: CREATE, value: 'name' },
  'never-active': { on: CREATE, value: 'name' },
  /** It gets a private address only. */
  'no-address': { on: CREATE, value: 'name' },
  /** Its public address comes only after it is active. */
  'late-address': { on: CREATE, value: 'name' },
  /** Its deletion is accepted, and does not happen. VALUE: name. */
  survives: { on: `DELETE ${ONE}`, value: 'name' },
} as const;

export type FaultKind = keyof typeof KINDS;

export interface CloudFault {
  kind: FaultKind;
  value?: string;
  /** `METHOD PATH`, in both `*` for any text. */
  on?: string;
  /** How often; Infinity: always. */
  times?: number;
  /** Requests of its place that go well before. */
  after?: number;
}

const FORM =
  /^(?<kind>[\w-]+)(?:=(?<value>\S*?))?(?::(?<on>(?:[A-Z]+|\*) \S+?))?(?::(?<times>\d+|always))?(?:@(?<nth>\d+))?$/;

const wrong = (text: string, what: string, next: string): Fault =>
  new Fault({ at: `fault ${text}`, what, next });

/** Why a value does not fit a kind; undefined where it does. */
function valueTrouble(kind: FaultKind, value: string | undefined): string | undefined {
  const wanted = KINDS[kind].value;
  const seconds = value !== undefined && /^\d+(\.\d+)?$/.test(value);
  if (wanted === 'seconds' && value !== undefined && !seconds) return `${kind}=SECONDS is expected`;
  if (wanted === 'seconds!' && !seconds) return `${kind}=SECONDS is expected`;
  if (wanted === 'none' && value !== undefined) return `${kind} has no value`;
  if (wanted === 'scopes' && !/^(\w+:\w+(,\w+:\w+)*)?$/.test(value ?? '-'))
    return 'scopes=account:read,droplet:read or the like is expected';
  if (wanted === 'name' && value === '') return `${kind}=NAME is expected, or ${kind} for any droplet`;
  if (wanted === 'unprocessable' && !Object.hasOwn(UNPROCESSABLE, value ?? ''))
    return `422= one of: ${Object.keys(UNPROCESSABLE).join(', ')}`;
  return undefined;
}

/** Why numbers do not fit a kind, or a place is none; undefined where all does. */
function restTrouble(kind: FaultKind, { on, times, nth }: Record<string, string | undefined>) {
  if (times !== undefined && times !== 'always' && Number(times) === 0)
    return 'TIMES is 1 or more, or always';
  if (nth !== undefined && Number(nth) === 0) return '@NTH is 1 or more: from which request on';
  // What is left of TIMES that are no number.
  if (on !== undefined && /[:@](-?\d*|always.*)$/.test(on)) return 'TIMES is 1 or more, or always';
  if (kind === 'scopes' && (on !== undefined || nth !== undefined || (times ?? 'always') !== 'always'))
    return 'scopes count everywhere and always';
  return undefined;
}

/** An example of each kind. */
function exampleOf(kind: FaultKind): string {
  const { value } = KINDS[kind];
  if (value === 'unprocessable') return '422=limit';
  if (value === 'scopes') return 'scopes=account:read,droplet:read';
  if (value === 'seconds!') return `${kind}=2:GET /v2/regions`;
  if (value === 'name') return `${kind}=wgnet1`;
  return kind.endsWith('-after') ? kind : `${kind}:GET /v2/regions:2`;
}

/** Reads the text form; a Fault that says what is wrong with it. */
export function parseFault(text: string): CloudFault {
  const parts = FORM.exec(text)?.groups;
  if (parts === undefined)
    throw wrong(
      text,
      'KIND[=VALUE][:METHOD PATH][:TIMES][@NTH] is expected',
      '429:POST /v2/droplets:2, for example',
    );
  const kind = parts.kind as FaultKind;
  const kinds = Object.keys(KINDS);
  if (!Object.hasOwn(KINDS, kind)) {
    const meant = nearest(kind, kinds);
    const hint = meant === undefined ? '' : `; meant: ${meant}`;
    throw wrong(text, `no kind of fault is called ${kind}`, `one of: ${kinds.join(', ')}${hint}`);
  }
  const trouble = valueTrouble(kind, parts.value) ?? restTrouble(kind, parts);
  if (trouble !== undefined) throw wrong(text, trouble, `${exampleOf(kind)}, for example`);
  return {
    kind,
    ...(parts.value === undefined ? {} : { value: parts.value }),
    ...(parts.on === undefined ? {} : { on: parts.on }),
    ...(parts.times === undefined
      ? {}
      : { times: parts.times === 'always' ? Infinity : Number(parts.times) }),
    ...(parts.nth === undefined ? {} : { after: Number(parts.nth) - 1 }),
  };
}

/** The place of a fault: `METHOD PATH`, with `*`. */
export const placeOf = ({ kind, value, on }: CloudFault): string =>
  on ?? (kind === '422' && value === 'pending' ? `DELETE ${ONE}` : KINDS[kind].on);

/** The kinds that decide over a droplet's life, not over an answer. */
export const FATES = ['errored', 'never-active', 'no-address', 'late-address', 'survives'] as const;
export type Fate = (typeof FATES)[number];

export const isFate = (kind: FaultKind): kind is Fate => (FATES as readonly string[]).includes(kind);
