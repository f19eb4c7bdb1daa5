/**
 * How commands reach a server that runs. It hands out positions and ids and holds names and rooms in memory, so nobody writes
 * beside it: it keeps other processes out of its database, and is asked, with a signature by a secret that is derived from
 * the signing key (whoever can read that key is the operator).
 */
import { operatorSecret } from '../accounts/shared-secret.ts';
import { MatrixError } from '../matrix/errors.ts';
import { isJsonObject, type JsonObject } from '../matrix/json/json-value.ts';
import type { Config } from '../platform/config/config.ts';
import type { LocalServers } from '../platform/local-servers.ts';
import { OperatorError } from '../platform/operator-error.ts';
import { OutgoingHttpError } from '../platform/outgoing-http-error.ts';
import type { OutgoingPolicies } from '../platform/outgoing-http.ts';
import type { Ports } from '../platform/ports.ts';
import { systemPorts } from '../platform/system-ports.ts';

/** What the server is to do, as it must be signed for one nonce. */
export interface Order {
  /** Below /_veche/admin/v1/operator. */
  readonly path: `/${string}`;
  readonly body: JsonObject;
  readonly timeoutMs?: number;
}

/** Gives the command ports that reach the running server, and closes them. What is refused in the words of Matrix is told as a sentence. */
export async function withPortsOfCommand(work: (ports: Ports) => Promise<void>): Promise<void> {
  const ports = systemPorts({ outgoing: ownServerPolicies });
  try {
    await work(ports);
  } catch (error) {
    throw error instanceof MatrixError ? new OperatorError(error.message, { cause: error }) : error;
  } finally {
    ports.close();
  }
}

/** undefined: no server of this configuration runs. Throws MatrixError when it refuses. */
export async function askRunningServer(
  config: Pick<Config, 'listeners'>,
  localServers: LocalServers,
  ports: Ports,
  order: (nonce: string, secret: string) => Order,
): Promise<JsonObject | undefined> {
  const secret = operatorSecret(localServers.signingKeyOf(localServers.main));
  for (const baseUrl of adminUrls(config)) {
    const answer = await askServer(ports, baseUrl, (nonce) => order(nonce, secret));
    if (answer !== undefined) return answer;
  }
  return undefined;
}

/** For requests to the server on this machine, wherever it listens and whatever its certificate is called. */
export const ownServerPolicies: OutgoingPolicies = (() => {
  const policy = { allowPrivateAddresses: ['0.0.0.0/0', '::/0'], caCertificates: [], verifyTls: false };
  return { general: policy, federation: policy };
})();

/** undefined: no server answers there, or it is not the one whose signing key we have. */
async function askServer(
  ports: Ports,
  baseUrl: string,
  order: (nonce: string) => Order,
): Promise<JsonObject | undefined> {
  const nonce = (await call(ports, 'GET', `${baseUrl}/_veche/admin/v1/operator/register`))?.json['nonce'];
  if (typeof nonce !== 'string') return undefined;
  const { path, body, timeoutMs } = order(nonce);
  const answer = await call(ports, 'POST', `${baseUrl}/_veche/admin/v1/operator${path}`, { body, timeoutMs });
  // 403: it derives another secret, so it is another server.
  if (answer === undefined || answer.status === 403) return undefined;
  if (answer.status === 200) return answer.json;
  const { errcode, error } = answer.json;
  const message = typeof error === 'string' ? error : `the server answered ${answer.status}`;
  throw new MatrixError(answer.status, typeof errcode === 'string' ? errcode : 'M_UNKNOWN', message);
}

async function call(
  ports: Ports,
  method: 'GET' | 'POST',
  url: string,
  sent: { readonly body?: JsonObject; readonly timeoutMs?: number | undefined } = {},
): Promise<{ readonly status: number; readonly json: JsonObject } | undefined> {
  try {
    const response = await ports.http.request({
      method,
      url,
      headers: { 'content-type': 'application/json' },
      ...(sent.body === undefined ? {} : { body: JSON.stringify(sent.body) }),
      timeoutMs: sent.timeoutMs ?? 10_000,
      responseBytesMax: 65_536,
    });
    return { status: response.status, json: jsonObjectOf(response.body) };
  } catch (error) {
    if (error instanceof OutgoingHttpError) return undefined;
    throw error;
  }
}

function jsonObjectOf(bytes: Buffer): JsonObject {
  try {
    const value: unknown = JSON.parse(bytes.toString());
    return isJsonObject(value) ? value : {};
  } catch {
    // Another program's page: it has no nonce.
    return {};
  }
}

/** Where a server of this configuration answers /_veche. */
function adminUrls(config: Pick<Config, 'listeners'>): readonly string[] {
  return config.listeners
    .filter(({ serve, port }) => serve.includes('admin') && port !== 0)
    .flatMap(({ bind, port, tls }) =>
      hostsOf(bind).map((host) => `${tls === undefined ? 'http' : 'https'}://${host}:${port}`),
    );
}

function hostsOf(bind: string): readonly string[] {
  if (bind === '0.0.0.0') return ['127.0.0.1'];
  if (bind === '::') return ['[::1]', '127.0.0.1'];
  return [bind.includes(':') ? `[${bind}]` : bind];
}
