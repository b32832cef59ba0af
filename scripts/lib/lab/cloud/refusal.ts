/** The API's refusals, in DigitalOcean's own words where they are documented or reported by users. */

/** Ends a request with this status and body. */
export class Refusal extends Error {
  override name = 'Refusal';
  readonly status: number;
  /** The body's `id`. */
  readonly id: string;
  readonly headers: Record<string, string>;
  /** Where the body has another form than id and message. */
  readonly body: unknown;

  constructor(status: number, id: string, message: string, headers: Record<string, string> = {}) {
    super(message);
    this.status = status;
    this.id = id;
    this.headers = headers;
  }
}

/** What a 422 can be about; the keys are the values of the fault `422=…`. */
export const UNPROCESSABLE = {
  name: 'Only valid hostname characters are allowed. (a-z, A-Z, 0-9, . and -)',
  'name-missing': "Name can't be blank",
  names: 'You can create up to 10 Droplets at a time.',
  region: 'You specified an invalid region for Droplet creation.',
  'region-closed': 'Region is not available',
  size: 'You specified an invalid size for Droplet creation.',
  'size-region': 'Size is not available in this region.',
  image: 'You specified an invalid image for Droplet creation.',
  'image-region':
    'The image you specified is not available in the selected region, you can transfer it to this region from the images pages.',
  'image-disk': 'The image you specified needs a larger disk than the selected size has.',
  limit: 'creating this/these droplet(s) will exceed your droplet limit',
  keys: '0 are invalid key identifiers for Droplet creation.',
  tag: 'Tags may only contain letters, numbers, colons, dashes, and underscores, 255 at most.',
  'user-data': 'User data is too long (maximum is 64 KiB)',
  pending: 'Droplet already has a pending event.',
} as const;

export type Unprocessable = keyof typeof UNPROCESSABLE;

export const unprocessable = (message: string): Refusal => new Refusal(422, 'unprocessable_entity', message);

export const refuse = (kind: Unprocessable): Refusal => unprocessable(UNPROCESSABLE[kind]);

export const notFound = (): Refusal =>
  new Refusal(404, 'not_found', 'The resource you requested could not be found.');

export const badRequest = (message: string): Refusal => new Refusal(400, 'bad_request', message);

export const unauthorized = (): Refusal => new Refusal(401, 'unauthorized', 'Unable to authenticate you.');

/** It does not say which scope is missing. */
export const forbidden = (): Refusal =>
  new Refusal(403, 'Forbidden', 'You are not authorized to perform this operation');

/** `headers`: retry-after where there is one. */
export const tooMany = (headers: Record<string, string> = {}): Refusal =>
  new Refusal(429, 'too_many_requests', 'API rate limit exceeded.', headers);

export const serverError = (message = 'Unexpected server-side error'): Refusal =>
  new Refusal(500, 'server_error', message);
