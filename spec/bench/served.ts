/** A server as a process, and clients of it. */
import { ServerProcess } from '../support/server-process.ts';
import { HttpConnection } from './http-connection.ts';
import type { BenchContext } from './measurement.ts';

/** A logged-in user with a connection. */
export interface Client {
  readonly userId: string;
  readonly deviceId: string;
  /** Path and body as the specification has them; gives the body of the answer, and throws for any status but 200. */
  call(method: string, path: string, body?: unknown): Promise<string>;
}

export class Served {
  readonly process: ServerProcess;
  readonly #connections: HttpConnection[] = [];
  #users = 0;

  private constructor(server: ServerProcess) {
    this.process = server;
  }

  static async start({ postgres }: BenchContext): Promise<Served> {
    const url = await postgres?.();
    return new Served(await ServerProcess.start(url === undefined ? {} : { environment: { DATABASE_URL: url } }));
  }

  async clients(count: number): Promise<Client[]> {
    const made: Client[] = [];
    while (made.length < count) {
      const some = Math.min(16, count - made.length);
      made.push(...(await Promise.all(Array.from({ length: some }, () => this.client()))));
    }
    return made;
  }

  async client(): Promise<Client> {
    const connection = await HttpConnection.open(this.process.port);
    this.#connections.push(connection);
    const registration = {
      username: `user${String(++this.#users)}`,
      password: 'a password of the bench',
      auth: { type: 'm.login.dummy' },
    };
    const path = '/_matrix/client/v3/register';
    const registered = await callOn(connection, undefined, 'POST', path, registration);
    const token = stringOf(registered, 'access_token');
    return {
      userId: stringOf(registered, 'user_id'),
      deviceId: stringOf(registered, 'device_id'),
      call: (method, to, body) => callOn(connection, token, method, to, body),
    };
  }

  /** In the text format of Prometheus. */
  async metric(name: string): Promise<number> {
    const response = await fetch(`${this.process.url}/metrics`);
    const line = new RegExp(`^${name} (.+)$`, 'm').exec(await response.text());
    if (line?.[1] === undefined) throw new Error(`the server has no metric ${name}`);
    return Number(line[1]);
  }

  async close(): Promise<void> {
    for (const connection of this.#connections.splice(0)) connection.close();
    await this.process.close();
  }
}

/** Gives the body of the answer; throws for any other status. */
export async function callOn(
  connection: HttpConnection,
  token: string | undefined,
  method: string,
  path: string,
  body: unknown,
  status = 200,
): Promise<string> {
  const answer = await connection.request(method, path, token, body);
  if (answer.status !== status)
    throw new Error(`${method} ${path} was answered with ${String(answer.status)}: ${answer.body}`);
  return answer.body;
}

/** A member of an answer that is an object. */
export function stringOf(json: string, name: string): string {
  const { [name]: value } = JSON.parse(json) as Record<string, unknown>;
  if (typeof value !== 'string') throw new Error(`the answer has no ${name}: ${json}`);
  return value;
}

/** A public room of the first, joined by the others. */
export async function roomOf([owner, ...others]: readonly Client[]): Promise<string> {
  if (owner === undefined) throw new Error('a room has an owner');
  const created = await owner.call('POST', '/_matrix/client/v3/createRoom', { preset: 'public_chat' });
  const roomId = stringOf(created, 'room_id');
  const path = `/_matrix/client/v3/rooms/${encodeURIComponent(roomId)}/join`;
  for (let at = 0; at < others.length; at += 8)
    await Promise.all(others.slice(at, at + 8).map((other) => other.call('POST', path, {})));
  return roomId;
}

let transactions = 0;

export function sendText(client: Client, roomId: string, text: string): Promise<unknown> {
  const path = `/_matrix/client/v3/rooms/${encodeURIComponent(roomId)}/send/m.room.message/${String(++transactions)}`;
  return client.call('PUT', path, { msgtype: 'm.text', body: text });
}
