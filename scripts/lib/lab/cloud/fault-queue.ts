/** The faults that wait for their request. */
import { type CloudFault, type Fate, type FaultKind, isFate, parseFault, placeOf } from './faults.ts';

interface Waiting {
  fault: CloudFault;
  place: RegExp;
  left: number;
  skip: number;
}

const escaped = (text: string): string => text.replace(/[.+?^${}()|[\]\\]/g, '\\$&').replaceAll('*', '.*');

export interface FaultQueue {
  add(fault: CloudFault | string): void;
  clear(): void;
  /** The scopes that the token is cut down to; undefined: all. */
  scopes(): ReadonlySet<string> | undefined;
  /** Takes the first fault that wants this request's answer, one time less of it being left. */
  take(method: string, path: string): CloudFault | undefined;
  /** Takes what is to become of a droplet of this name. */
  takeFates(method: string, path: string, name: string): Set<Fate>;
}

export function faultQueue(first: readonly (CloudFault | string)[] = []): FaultQueue {
  let waiting: Waiting[] = [];

  const add = (given: CloudFault | string): void => {
    const fault = typeof given === 'string' ? parseFault(given) : given;
    const left = fault.times ?? (fault.kind === 'scopes' ? Infinity : 1);
    waiting.push({ fault, place: new RegExp(`^${escaped(placeOf(fault))}$`), left, skip: fault.after ?? 0 });
  };

  const spend = (one: Waiting, request: string): boolean => {
    if (one.left < 1 || !one.place.test(request)) return false;
    if (one.skip > 0) {
      one.skip -= 1;
      return false;
    }
    one.left -= 1;
    return true;
  };

  const ofAnswers = (kind: FaultKind): boolean => !isFate(kind) && kind !== 'scopes';

  for (const fault of first) add(fault);
  return {
    add,
    clear: () => {
      waiting = [];
    },
    scopes: () => {
      const narrow = waiting.filter(({ fault, left }) => fault.kind === 'scopes' && left > 0).at(-1);
      return narrow && new Set((narrow.fault.value ?? '').split(',').filter(Boolean));
    },
    take: (method, path) =>
      waiting.find((one) => ofAnswers(one.fault.kind) && spend(one, `${method} ${path}`))?.fault,
    takeFates: (method, path, name) =>
      new Set(
        waiting
          .filter(({ fault }) => isFate(fault.kind) && (fault.value ?? name) === name)
          .filter((one) => spend(one, `${method} ${path}`))
          .map(({ fault }) => fault.kind as Fate),
      ),
  };
}
