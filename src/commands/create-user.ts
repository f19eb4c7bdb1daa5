import { createAccounts } from '../accounts/index.ts';
import { operatorSecret, registrationMac } from '../accounts/shared-secret.ts';
import { MatrixError } from '../matrix/errors.ts';
import { isJsonObject, type JsonObject } from '../matrix/json/json-value.ts';
import type { Config } from '../platform/config/config.ts';
import { loadLocalServers } from '../platform/load-local-servers.ts';
import type { LocalServers } from '../platform/local-servers.ts';
import { OutgoingHttpError } from '../platform/outgoing-http-error.ts';
import type { OutgoingPolicies } from '../platform/outgoing-http.ts';
import type { Ports } from '../platform/ports.ts';
import { databaseOptions } from '../storage/database-options.ts';
import { Names } from '../storage/names.ts';
import { openDatabase } from '../storage/open.ts';
import { bindServerName } from '../storage/server-facts.ts';

export interface UserToCreate {
  readonly username: string;
  readonly password: string;
  readonly isAdmin: boolean;
}
export interface CreatedUser {
  readonly userId: string;
  /** Who wrote it: a running server, or this process. */
  readonly by: 'server' | 'database';
}

/**
 * Makes an account, whether the server runs or not.
 *
 * A running server hands out positions and ids and holds names and tokens in memory, so nobody writes beside it: it keeps
 * other processes out of its database, and is asked to make the account, with a signature by a secret that is derived from
 * the signing key (whoever can read that key is the operator). Where no server answers, the database is opened like a
 * server would, which fails if one runs after all.
 *
 * Throws MatrixError when there cannot be such an account, DatabaseRefused when a server runs that could not be reached.
 */
export async function createUser(config: Config, user: UserToCreate, ports: Ports): Promise<CreatedUser> {
  const localServers = await loadLocalServers(config, ports.random);
  const secret = operatorSecret(localServers.signingKeyOf(localServers.main));
  for (const baseUrl of adminUrls(config)) {
    const userId = await askServer(ports, `${baseUrl}/_veche/admin/v1/operator/register`, secret, user);
    if (userId !== undefined) return { userId, by: 'server' };
  }
  return { userId: await writeToDatabase(config, user, localServers, secret, ports), by: 'database' };
}

/** For requests to the server on this machine, wherever it listens and whatever its certificate is called. */
export const ownServerPolicies: OutgoingPolicies = (() => {
  const policy = { allowPrivateAddresses: ['0.0.0.0/0', '::/0'], caCertificates: [], verifyTls: false };
  return { general: policy, federation: policy };
})();

/** undefined: no server answers there, or it is not the one whose signing key we have. */
async function askServer(ports: Ports, url: string, secret: string, user: UserToCreate): Promise<string | undefined> {
  const nonce = (await call(ports, 'GET', url))?.json['nonce'];
  if (typeof nonce !== 'string') return undefined;
  const answer = await call(ports, 'POST', url, signedBody(secret, nonce, user));
  // 403: it derives another secret, so it is another server.
  if (answer === undefined || answer.status === 403) return undefined;
  const { user_id: userId, errcode, error } = answer.json;
  if (answer.status === 200 && typeof userId === 'string') return userId;
  const message = typeof error === 'string' ? error : `the server answered ${answer.status}`;
  throw new MatrixError(answer.status, typeof errcode === 'string' ? errcode : 'M_UNKNOWN', message);
}

async function writeToDatabase(
  config: Config,
  { username, password, isAdmin }: UserToCreate,
  localServers: LocalServers,
  secret: string,
  ports: Ports,
): Promise<string> {
  const db = await openDatabase(databaseOptions(config), ports);
  try {
    await bindServerName(db, config.serverName);
    const { clock, timers, random } = ports;
    const accounts = createAccounts({
      db,
      names: new Names(db),
      localServers,
      config,
      attempts: undefined,
      // A new account is in no room.
      profilePropagation: { profileChanged: () => Promise.resolve() },
      departure: { leaveAllRooms: () => Promise.resolve() },
      clock,
      timers,
      random,
    });
    const nonce = accounts.operator.issueNonce();
    const signed = { nonce, username, password, isAdmin, userType: undefined };
    const client = { address: '127.0.0.1', userAgent: undefined };
    const { userId } = await accounts.operator.register({
      ...signed,
      mac: registrationMac(secret, signed),
      displayName: undefined,
      inhibitLogin: true,
      session: { deviceId: undefined, initialDeviceDisplayName: undefined, canRefresh: false, client },
    });
    await accounts.close();
    return userId;
  } finally {
    await db.close();
  }
}

function signedBody(secret: string, nonce: string, { username, password, isAdmin }: UserToCreate): JsonObject {
  const mac = registrationMac(secret, { nonce, username, password, isAdmin, userType: undefined });
  return { nonce, username, password, admin: isAdmin, mac };
}

async function call(
  ports: Ports,
  method: 'GET' | 'POST',
  url: string,
  body?: JsonObject,
): Promise<{ readonly status: number; readonly json: JsonObject } | undefined> {
  try {
    const response = await ports.http.request({
      method,
      url,
      headers: { 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      timeoutMs: 10_000,
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
