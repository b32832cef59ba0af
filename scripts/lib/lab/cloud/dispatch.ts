/** From a call to its answer. */
import type { Document } from './document.ts';
import type { CloudFault } from './faults.ts';
import {
  forbidden,
  notFound,
  Refusal,
  refuse,
  serverError,
  tooMany,
  unauthorized,
  unprocessable,
} from './refusal.ts';
import { type Answer, type Call, type Route, routeOf, type World } from './route.ts';

/** What happens to the answer on its way: it never comes, breaks off, is another, or late (seconds). */
export interface Delivery {
  answer: Answer;
  how: 'sent' | 'hang' | 'reset' | 'html';
  late: number;
}

export interface DispatchSettings {
  routes: readonly Route[];
  world: World;
  document: Document | undefined;
  lenient: boolean;
  violations: string[];
}

/** A refusal as an answer. */
export function answerOf(thrown: unknown): Answer {
  const refusal = thrown instanceof Refusal ? thrown : serverError(String(thrown));
  const { status, id, message, headers } = refusal;
  return { status, body: refusal.body ?? { id, message }, headers };
}

const STATUS: Record<string, () => Refusal> = {
  '401': unauthorized,
  '403': forbidden,
  '404': notFound,
  '500': serverError,
  '502': () => new Refusal(502, 'bad_gateway', 'Bad Gateway'),
  '503': () => new Refusal(503, 'service_unavailable', 'Service Unavailable'),
  '504': () => new Refusal(504, 'gateway_timeout', 'Gateway Timeout'),
};

/** The headers of a 429 of the hour's limit, which has no `retry-after`; there is room again in a second. */
const spentHour = (): Record<string, string> => ({
  'ratelimit-remaining': '0',
  'ratelimit-reset': String(Math.floor(Date.now() / 1000) + 1),
});

/** The refusal that a fault puts in an answer's place; undefined where it is none of that kind. */
function refusalOf({ kind, value }: CloudFault): Refusal | undefined {
  if (kind === '429') return tooMany(value === undefined ? spentHour() : { 'retry-after': value });
  if (kind === '422') return refuse(value as Parameters<typeof refuse>[0]);
  return STATUS[kind.replace('-after', '')]?.();
}

export function createDispatch(settings: DispatchSettings): (call: Call) => Delivery {
  const { routes, world, document, lenient, violations } = settings;

  const violated = (call: Call, lines: readonly string[]): string => {
    violations.push(`${call.method} ${call.path}: ${lines.join('; ')}`);
    return `not as documented: ${lines.join('; ')}`;
  };

  /** Judged in the order of the real one: path, token's scopes, body; then against the document; then carried out. */
  const judge = (call: Call): (() => Answer) => {
    const match = routeOf(routes, call.method, call.path);
    if (match === undefined) throw notFound();
    const narrow = world.faults.scopes();
    if (narrow && !match.found.scopes(call).every((scope) => narrow.has(scope))) throw forbidden();
    const carryOut = match.found.handle({ ...call, ids: match.ids }, world);
    const lines = document?.request(call) ?? [];
    if (lines.length > 0) throw serverError(violated(call, lines));
    const unknown = (document?.unknown(call) ?? []).map((field) => `request has an unknown field: ${field}`);
    if (unknown.length > 0) throw unprocessable(violated(call, unknown));
    return carryOut;
  };

  /** What the API makes of it, with nothing in between. */
  const plain = (call: Call): Answer => {
    try {
      return judge(call)();
    } catch (error) {
      // A defect of ours must not pass for a fault that was asked for.
      if (!(error instanceof Refusal)) violations.push(`${call.method} ${call.path}: ${String(error)}`);
      return answerOf(error);
    }
  };

  const checked = (call: Call, answer: Answer): Answer => {
    const lines = document?.answer(call, answer) ?? [];
    return lines.length === 0 ? answer : answerOf(serverError(violated(call, lines)));
  };

  return (given) => {
    const call = lenient && document !== undefined ? { ...given, body: document.known(given) } : given;
    const fault = world.faults.take(call.method, call.path);
    if (fault === undefined) return { answer: checked(call, plain(call)), how: 'sent', late: 0 };
    const { kind } = fault;
    if (kind === 'slow')
      return { answer: checked(call, plain(call)), how: 'sent', late: Number(fault.value ?? 1) };
    const made = kind.endsWith('-after') ? checked(call, plain(call)) : undefined;
    const how = (['hang', 'reset', 'html'] as const).find((one) => kind.startsWith(one));
    if (how !== undefined) return { answer: made ?? { status: 0 }, how, late: 0 };
    return { answer: checked(call, answerOf(refusalOf(fault))), how: 'sent', late: 0 };
  };
}
