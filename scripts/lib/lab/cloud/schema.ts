/** Fields that a schema does not know. Pure. */

/** As OpenAPI 3.0 has them, with every reference put in its place. */
interface Schema {
  properties?: Record<string, Schema>;
  items?: Schema;
  additionalProperties?: unknown;
  allOf?: Schema[];
  anyOf?: Schema[];
  oneOf?: Schema[];
}

/** A schema and all that it is made of. */
function partsOf(schema: Schema): Schema[] {
  const inner = [...(schema.allOf ?? []), ...(schema.anyOf ?? []), ...(schema.oneOf ?? [])];
  return [schema, ...inner.flatMap(partsOf)];
}

/**
 * Where a value has fields that no part of the schema names: `user_daat`, `links.actions[0].foo`. A schema without
 * fields, and one with `additionalProperties`, knows all.
 */
export function undocumented(schema: unknown, value: unknown, at = ''): string[] {
  if (typeof schema !== 'object' || schema === null || typeof value !== 'object' || value === null) return [];
  const parts = partsOf(schema as Schema);
  if (Array.isArray(value)) {
    const items = parts.find((part) => part.items !== undefined)?.items;
    return value.flatMap((item, i) => undocumented(items, item, `${at}[${i}]`));
  }
  const known = parts.filter(({ properties }) => properties !== undefined);
  if (known.length === 0 || parts.some(({ additionalProperties }) => additionalProperties)) return [];
  return Object.entries(value).flatMap(([key, inner]) => {
    const name = at === '' ? key : `${at}.${key}`;
    const schemas = known.flatMap(({ properties }) => properties?.[key] ?? []);
    return schemas.length === 0 ? [name] : undocumented({ allOf: schemas }, inner, name);
  });
}
