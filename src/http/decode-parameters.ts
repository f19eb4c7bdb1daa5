import type { Endpoint } from './endpoint.ts';
import type { Query } from './query-string.ts';

/** Throws what the decoders throw. */
export function decodePath<Domain>(
  endpoint: Pick<Endpoint<Domain>, 'params'>,
  given: Readonly<Record<string, string | undefined>>,
): Record<string, unknown> {
  const out: Record<string, unknown> = {};
  for (const name in endpoint.params) out[name] = endpoint.params[name]?.decode(given[name], `path.${name}`);
  return out;
}

/** Throws what the decoders throw. */
export function decodeQuery<Domain>(endpoint: Pick<Endpoint<Domain>, 'query'>, given: Query): Record<string, unknown> {
  const out: Record<string, unknown> = {};
  for (const name in endpoint.query) {
    const decoder = endpoint.query[name];
    const values = given.get(name);
    out[name] = decoder?.decode(decoder.isList === true ? values : values?.[0], `query.${name}`);
  }
  return out;
}
