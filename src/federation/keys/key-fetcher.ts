/** https://spec.matrix.org/v1.19/server-server-api/#retrieving-server-keys */
import { MatrixError } from '../../matrix/errors.ts';
import type { ServerName } from '../../matrix/ids/ids.ts';
import { isJsonObject, type JsonObject } from '../../matrix/json/json-value.ts';
import { parseJson } from '../../matrix/json/parse-json.ts';
import { limits } from '../../platform/limits.ts';
import type { RemoteHttp, RemoteRequest } from '../client/remote-http.ts';
import { FederationError } from '../federation-error.ts';

/** Asks servers for keys: unsigned requests, because who is asked would need our keys to check them. */
export class KeyFetcher {
  readonly #remote: Pick<RemoteHttp, 'request'>;
  readonly #userAgent: string;

  constructor(remote: Pick<RemoteHttp, 'request'>, userAgent: string) {
    this.#remote = remote;
    this.#userAgent = userAgent;
  }

  /** What a server says of its own keys, not checked. Throws FederationError. */
  ownKeys(server: ServerName): Promise<JsonObject> {
    return this.#ask({
      destination: server,
      method: 'GET',
      uri: '/_matrix/key/v2/server',
      responseBytesMax: limits.keyAnswerBytesMax,
    });
  }

  /** What a notary says of other servers' keys, not checked. Throws FederationError. */
  async askNotary(
    notary: ServerName,
    wanted: ReadonlyMap<ServerName, ReadonlyMap<string, number>>,
  ): Promise<readonly JsonObject[]> {
    const criteria = [...wanted].map(([server, keys]) => [
      server,
      Object.fromEntries([...keys].map(([keyId, ts]) => [keyId, { minimum_valid_until_ts: ts }])),
    ]);
    const answer = await this.#ask({
      destination: notary,
      method: 'POST',
      uri: '/_matrix/key/v2/query',
      body: JSON.stringify({ server_keys: Object.fromEntries(criteria) as JsonObject }),
      responseBytesMax: limits.federationResponseBytesMax,
    });
    const { server_keys: answers } = answer;
    if (!Array.isArray(answers)) throw new FederationError(notary, 'unusable', 'server_keys is no list');
    return answers.slice(0, limits.notaryAnswersMax).filter(isJsonObject);
  }

  async #ask(request: Omit<RemoteRequest, 'headers' | 'timeoutMs' | 'isUrgent'>): Promise<JsonObject> {
    const { body } = await this.#remote.request({
      ...request,
      headers: {
        'User-Agent': this.#userAgent,
        ...(request.body === undefined ? {} : { 'Content-Type': 'application/json' }),
      },
      timeoutMs: limits.keyFetchTimeoutMs,
      // Anybody can name a server whose keys are asked for then.
      isUrgent: true,
      isProbe: true,
    });
    const value = parse(body, request.destination);
    if (!isJsonObject(value))
      throw new FederationError(request.destination, 'unusable', 'the answer is no JSON object');
    return value;
  }
}

function parse(body: Buffer, server: ServerName): ReturnType<typeof parseJson> {
  try {
    return parseJson(body, { numbers: 'exact' });
  } catch (error) {
    if (error instanceof MatrixError)
      throw new FederationError(server, 'unusable', `the answer cannot be read: ${error.message}`, { cause: error });
    throw error;
  }
}
