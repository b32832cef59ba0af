/** Whether a fault can ever meet a request. */
import { Fault } from '../../cli.ts';
import { type CloudFault, isFate, parseFault, placeOf } from './faults.ts';
import { ROUTES } from './routes.ts';

/** Whether there is a text that both patterns match; `*` stands for any text, `?` of the second one for any without a `/`. */
export function meet(a: string, b: string): boolean {
  if (a === '' || b === '') return /^[*?]*$/.test(a + b);
  if (a.startsWith('*')) return meet(a.slice(1), b) || meet(a, b.slice(1));
  if (b.startsWith('*')) return meet(a, b.slice(1)) || meet(a.slice(1), b);
  if (b.startsWith('?')) return meet(a, b.slice(1)) || (!a.startsWith('/') && meet(a.slice(1), b));
  return a[0] === b[0] && meet(a.slice(1), b.slice(1));
}

const requests = ROUTES.map(({ method, path }) => `${method} ${path.replace(/\{\w+\}/g, '?')}`);

/** The requests that decide over a fate. */
const deciding = (kind: CloudFault['kind']): string =>
  kind === 'survives' ? 'DELETE /v2/droplets*' : 'POST /v2/droplets';

/** Reads a fault's text form; a Fault where it is none, and where no request could ever bring it about. */
export function judgeFault(text: string): CloudFault {
  const fault = parseFault(text);
  const place = placeOf(fault);
  const trouble = (what: string, next: string): Fault => new Fault({ at: `fault ${text}`, what, next });
  if (isFate(fault.kind) && !meet(place, deciding(fault.kind)))
    throw trouble(
      `${fault.kind} can only happen at ${deciding(fault.kind)}`,
      `${fault.kind}=wgnet1, for example`,
    );
  if (requests.some((request) => meet(place, request))) return fault;
  const known = [...new Set(ROUTES.map(({ path }) => path))];
  throw trouble(`the API has no request ${place}`, `one of its paths: ${known.join(', ')}`);
}
