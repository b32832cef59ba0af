/** Holds requests and answers against the official OpenAPI document. */
import { Fault } from '../../cli.ts';
import { readText } from '../../files.ts';
import type { Answer, Call } from './route.ts';
import { undocumented } from './schema.ts';

/** What does not match the document, a line each; empty: all does. */
export interface Document {
  request(call: Call): string[];
  /** The body's unknown fields. */
  unknown(call: Call): string[];
  answer(call: Call, answer: Answer): string[];
  /** The body without what the document does not have: unknown fields, and nulls. */
  known(call: Call): unknown;
}

const JSON_TYPE = 'application/json';

const DATE_TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/;
const FORMATS: Record<string, RegExp> = {
  'date-time': DATE_TIME,
  ipv4: /^\d{1,3}(\.\d{1,3}){3}$/,
  ipv6: /^[0-9a-f:]+$/,
  uuid: /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/,
  uri: /^https?:\/\/\S+$/,
};

/** The names of fields that the document forgot, or wrote wrongly (`imgages`). */
const FORGOTTEN = new Set(['resources.images', 'tag.resources.images', 'tags.resources.images']);

const withoutNulls = (body: unknown): unknown =>
  typeof body === 'object' && body !== null && !Array.isArray(body)
    ? Object.fromEntries(Object.entries(body).filter(([, value]) => value !== null))
    : body;

const loaded = new Map<string, Promise<Document>>();

/** Loads the document, once a process: its first use of each path takes a moment. */
export function loadDocument(file: string): Promise<Document> {
  const known = loaded.get(file) ?? load(file);
  loaded.set(file, known);
  return known;
}

const NEXT =
  'give the JSON form of the document that DigitalOcean publishes (github.com/digitalocean/openapi)';

function documentIn(file: string) {
  const text = readText(file);
  const fault = (what: string): Fault => new Fault({ at: file, what, next: NEXT });
  let found: ReturnType<typeof JSON.parse>;
  try {
    found = JSON.parse(text);
  } catch {
    throw fault('is no JSON: the OpenAPI document of DigitalOcean was expected');
  }
  if (typeof found?.openapi !== 'string' || !found.paths?.['/v2/droplets'])
    throw fault('is not the OpenAPI document of DigitalOcean: it lacks `openapi`, or the path /v2/droplets');
  return found;
}

const openapiBackend = () => import('openapi-backend');

/** openapi-backend, which is there only where tests are; a Fault where it is not. */
async function backend(load = openapiBackend) {
  try {
    return await load();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_MODULE_NOT_FOUND') throw error;
    throw new Fault({
      at: '--spec',
      what: 'needs the package openapi-backend, which is not installed',
      next: 'npm ci, without --omit=dev',
    });
  }
}

/** A Fault where nothing can be held against this file. */
export async function judgeDocument(file: string, load = openapiBackend): Promise<void> {
  documentIn(file);
  await backend(load);
}

async function load(file: string): Promise<Document> {
  const { OpenAPIBackend } = await backend();
  const api = new OpenAPIBackend({
    definition: documentIn(file),
    ...{ quick: true, coerceTypes: true, ajvOpts: { strict: false, allErrors: false } },
    customizeAjv: (ajv) => {
      for (const [name, format] of Object.entries(FORMATS)) ajv.addFormat(name, format);
      return ajv;
    },
  });
  await api.init();
  const lines = (what: string, errors: readonly { instancePath: string; message?: string }[] | null = []) =>
    (errors ?? []).map(({ instancePath, message }) => `${what} ${instancePath} ${message ?? 'is wrong'}`);

  const parsed = ({ method, path, query, body }: Call) => ({
    ...{ method, path, query: Object.fromEntries(query) },
    headers: body === undefined ? {} : { 'content-type': JSON_TYPE },
    ...(body === undefined ? {} : { body }),
  });
  const operationOf = (call: Call) => api.router.matchOperation(parsed(call)) ?? undefined;
  const bodySchema = (call: Call): unknown => {
    const body = operationOf(call)?.requestBody as { content?: Record<string, { schema?: unknown }> };
    return body?.content?.[JSON_TYPE]?.schema;
  };

  return {
    request: (call) => {
      const operation = operationOf(call);
      if (operation === undefined) return ['a path that is not in the document'];
      const { errors } = api.validator.validateRequest(parsed(call), operation);
      return lines('request', errors);
    },
    unknown: (call) => undocumented(bodySchema(call), call.body),
    answer: (call, { status, body }) => {
      const operation = operationOf(call);
      if (operation === undefined) return [];
      const { responses = {} } = operation;
      const said = responses[status] ?? (status >= 400 ? responses.default : undefined);
      if (said === undefined) return [`answer has the status ${status}, which is not in the document`];
      if (body === undefined) return status === 204 ? [] : ['answer is empty'];
      const { errors } = api.validator.validateResponse(body, operation, status);
      const { content } = said as { content?: Record<string, { schema?: unknown }> };
      const unknown = undocumented(content?.[JSON_TYPE]?.schema, body)
        .filter((field) => !FORGOTTEN.has(field.replaceAll(/\[\d+\]/g, '')))
        .map((field) => `answer has an unknown field: ${field}`);
      return [...lines('answer', errors), ...unknown];
    },
    known: (call) => {
      const body = withoutNulls(call.body);
      const unknown = new Set(undocumented(bodySchema(call), body));
      if (unknown.size === 0) return body;
      return Object.fromEntries(Object.entries(body as object).filter(([key]) => !unknown.has(key)));
    },
  };
}
