/** People who use a loopback server over HTTP. */
import type { JsonObject, JsonValue } from '../../src/matrix/json/json-value.ts';
import type { LoopbackServer } from './loopback-server.ts';
import { passwordOfTests } from './test-accounts.ts';
import { type TestResponse, requestJson } from './test-server.ts';

const v3 = '/_matrix/client/v3';

export interface Person {
  readonly userId: string;
  /** `path`: behind /_matrix/client/v3. A body that is absent is {}. */
  call(method: 'GET' | 'PUT' | 'POST' | 'DELETE', path: string, body?: JsonValue): Promise<TestResponse>;
  /** The new room's ID. */
  createRoom(request?: JsonObject): Promise<string>;
}

export async function register({ url }: LoopbackServer, username: string): Promise<Person> {
  const body = { auth: { type: 'm.login.dummy' }, username, password: passwordOfTests };
  const { json } = await requestJson(url, 'POST', `${v3}/register`, { body });
  return person(url, String(json['access_token']), String(json['user_id']));
}

export async function registerAdministrator({ url, server }: LoopbackServer): Promise<Person> {
  const token = (await server.accounts.mintFirstAdministratorToken()) ?? '';
  const client = { address: '127.0.0.1', userAgent: undefined };
  const page = server.accounts.startPage;
  const session = await page.createFirstAdministrator(token, 'admin', passwordOfTests, client);
  return person(url, session.accessToken, '@admin:localhost');
}

/** Somebody without an account. */
export const nobody = ({ url }: Pick<LoopbackServer, 'url'>): Pick<Person, 'call'> => ({
  call: (method, path, body = {}) => requestJson(url, method, v3 + path, method === 'GET' ? {} : { body }),
});

function person(url: string, token: string, userId: string): Person {
  const call: Person['call'] = (method, path, body = {}) =>
    requestJson(url, method, v3 + path, { token, ...(method === 'GET' ? {} : { body }) });
  return {
    userId,
    call,
    async createRoom(request = {}) {
      const { status, json } = await call('POST', '/createRoom', request);
      if (status !== 200) throw new Error(`no room: ${JSON.stringify(json)}`);
      return String(json['room_id']);
    },
  };
}
