/** One user of a whole server, over HTTP. Paths begin below /_matrix/client/v3. */
import type { Method } from '../../src/http/endpoint.ts';
import type { JsonObject, JsonValue } from '../../src/matrix/json/json-value.ts';
import type { LoopbackServer } from './loopback-server.ts';
import { passwordOfTests } from './test-accounts.ts';
import { type TestRequest, type TestResponse, requestJson } from './test-server.ts';

const v3 = '/_matrix/client/v3';

export class TestClient {
  readonly userId: string;
  readonly token: string | undefined;
  readonly #url: string;

  private constructor(url: string, userId: string, token: string | undefined) {
    this.#url = url;
    this.userId = userId;
    this.token = token;
  }

  static async register({ url }: Pick<LoopbackServer, 'url'>, username: string): Promise<TestClient> {
    const body = { auth: { type: 'm.login.dummy' }, username, password: passwordOfTests };
    const { json } = await requestJson(url, 'POST', `${v3}/register`, { body });
    return new TestClient(url, String(json['user_id']), String(json['access_token']));
  }

  /** Somebody with the token, as the server knows them. */
  static async withToken({ url }: Pick<LoopbackServer, 'url'>, token: string): Promise<TestClient> {
    const { json } = await requestJson(url, 'GET', `${v3}/account/whoami`, { token });
    return new TestClient(url, String(json['user_id']), token);
  }

  /** The server's first administrator: once per server. */
  static async registerAdministrator({ url, server }: Omit<LoopbackServer, 'close'>): Promise<TestClient> {
    const token = (await server.accounts.mintFirstAdministratorToken()) ?? '';
    const client = { address: '127.0.0.1', userAgent: undefined };
    const page = server.accounts.startPage;
    const session = await page.createFirstAdministrator(token, 'admin', passwordOfTests, client);
    return new TestClient(url, '@admin:localhost', session.accessToken);
  }

  /** Somebody without an account. */
  static nobody({ url }: Pick<LoopbackServer, 'url'>): Pick<TestClient, 'call'> {
    return new TestClient(url, '', undefined);
  }

  /** A body that is absent is {}. */
  call(method: Method, path: string, body: JsonValue = {}): Promise<TestResponse> {
    return this.#request(method, v3 + path, method === 'GET' ? {} : { body });
  }
  get(path: string, query: Record<string, string> = {}): Promise<TestResponse> {
    return this.#request('GET', v3 + path, { query });
  }
  post(path: string, body: JsonObject = {}): Promise<TestResponse> {
    return this.call('POST', path, body);
  }
  put(path: string, body: JsonObject = {}): Promise<TestResponse> {
    return this.call('PUT', path, body);
  }

  /** Suspends a user, or ends that; for administrators. */
  setSuspended(userId: string, suspended: boolean): Promise<JsonObject> {
    return this.#administer(`suspend/${encodeURIComponent(userId)}`, { suspended });
  }
  /** Locks a user out, or ends that; for administrators. */
  setLocked(userId: string, locked: boolean): Promise<JsonObject> {
    return this.#administer(`lock/${encodeURIComponent(userId)}`, { locked });
  }
  #administer(what: string, body: JsonObject): Promise<JsonObject> {
    const path = `/_matrix/client/v1/admin/${what}`;
    return succeeded(this.#request('PUT', path, { body }));
  }
  #request(method: Method, path: string, request: Omit<TestRequest, 'token'>): Promise<TestResponse> {
    return requestJson(this.#url, method, path, { token: this.token, ...request });
  }

  /** The room's id. */
  async createRoom(body: JsonObject = {}): Promise<string> {
    return String((await succeeded(this.post('/createRoom', body)))['room_id']);
  }
  /** The event's id. */
  async setState(roomId: string, type: string, content: JsonObject, stateKey = ''): Promise<string> {
    const path = `/rooms/${encodeURIComponent(roomId)}/state/${type}/${encodeURIComponent(stateKey)}`;
    return String((await succeeded(this.put(path, content)))['event_id']);
  }
  /** The event's id. The text is the transaction's id too. */
  async say(roomId: string, text: string): Promise<string> {
    const path = `/rooms/${encodeURIComponent(roomId)}/send/m.room.message/${encodeURIComponent(text)}`;
    return String((await succeeded(this.put(path, { msgtype: 'm.text', body: text })))['event_id']);
  }
}

/** The answer of a request that is expected to succeed. */
export async function succeeded(response: Promise<TestResponse>): Promise<JsonObject> {
  const { status, json, text } = await response;
  if (status !== 200) throw new Error(`the request was answered with ${status}: ${text}`);
  return json;
}

/** Path of a room's own endpoints. */
export const roomPath = (roomId: string): string => `/rooms/${encodeURIComponent(roomId)}`;
