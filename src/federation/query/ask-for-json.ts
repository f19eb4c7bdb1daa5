import { MatrixError } from '../../matrix/errors.ts';
import { isJsonObject, type JsonObject } from '../../matrix/json/json-value.ts';
import { parseJson } from '../../matrix/json/parse-json.ts';
import { limits } from '../../platform/limits.ts';
import type { FederationClient, FederationRequest } from '../contract.ts';
import { FederationError } from '../federation-error.ts';

/** An answer that is no event, with plain numbers, for clients to read. Throws FederationError. */
export async function askForJson(client: FederationClient, request: FederationRequest): Promise<JsonObject> {
  return (await askForJsonText(client, request)).json;
}

/** The same with its length. */
export async function askForJsonText(
  client: FederationClient,
  request: FederationRequest,
): Promise<{ readonly json: JsonObject; readonly bytes: number }> {
  const { body } = await client.requestBytes({ timeoutMs: limits.federationQueryTimeoutMs, ...request });
  try {
    const value = parseJson(body);
    if (isJsonObject(value)) return { json: value, bytes: body.length };
  } catch (error) {
    if (!(error instanceof MatrixError)) throw error;
    const message = `the answer cannot be read: ${error.message}`;
    throw new FederationError(request.destination, 'unusable', message, { cause: error });
  }
  throw new FederationError(request.destination, 'unusable', 'the answer is no JSON object');
}
