/** Requests of resumable uploads, with their interim responses and their bodies in the hands of the spec. */
import { type ClientRequest, type IncomingMessage, request as httpRequest } from 'node:http';
import { once } from 'node:events';
import type { Socket } from 'node:net';

export const resumable = '/_matrix/media/unstable/org.veche.resumable';

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly text: string;
  /** Of the interim responses before it. */
  readonly interim: readonly { readonly status: number; readonly headers: Readonly<Record<string, string>> }[];
}

export interface OpenRequest {
  readonly request: ClientRequest;
  /** Rejects when the connection ends before. */
  readonly answer: Promise<Answer>;
  /** Resolves with the first interim response of a status. */
  interim(status: number): Promise<Readonly<Record<string, string>>>;
  /** Cuts the connection; resolves when the server has let go of it too. */
  cut(): Promise<void>;
}

export interface RequestParts {
  readonly headers?: Readonly<Record<string, string | number>>;
  readonly token?: string | undefined;
}

/** Begins a request, whose body the caller writes and ends. */
export function openRequest(
  url: string,
  method: string,
  path: string,
  { headers = {}, token }: RequestParts = {},
): OpenRequest {
  const request = httpRequest(url + path, {
    method,
    agent: false,
    headers: { ...(token === undefined ? {} : { authorization: `Bearer ${token}` }), ...headers },
  });
  const interim: { status: number; headers: Record<string, string> }[] = [];
  const waiting = new Set<() => void>();
  request.on('information', ({ statusCode, headers: given }) => {
    interim.push({ status: statusCode, headers: flat(given) });
    for (const wake of waiting) wake();
  });
  const answer = new Promise<Answer>((resolve, reject) => {
    request.on('error', reject);
    request.on('response', (response: IncomingMessage) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => void chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () => {
        const text = Buffer.concat(chunks).toString();
        resolve({ status: response.statusCode ?? 0, headers: flat(response.headers), text, interim });
      });
    });
  });
  answer.catch(() => undefined);
  request.flushHeaders();
  return {
    request,
    answer,
    interim: (status) =>
      new Promise((resolve) => {
        const look = (): void => {
          const found = interim.find((one) => one.status === status);
          if (found === undefined) return;
          waiting.delete(look);
          resolve(found.headers);
        };
        waiting.add(look);
        look();
      }),
    async cut() {
      const socket = request.socket as Socket | null;
      if (socket === null) return;
      const closed = socket.destroyed ? undefined : once(socket, 'close');
      socket.end();
      await closed;
    },
  };
}

/** A request with a whole body. */
export function send(
  url: string,
  method: string,
  path: string,
  { body, ...parts }: RequestParts & { readonly body?: Buffer } = {},
): Promise<Answer> {
  const headers = { ...(body === undefined ? {} : { 'content-length': body.length }), ...parts.headers };
  const { request, answer } = openRequest(url, method, path, { ...parts, headers });
  request.end(body);
  return answer;
}

export const jsonOf = ({ text }: Answer): Readonly<Record<string, unknown>> =>
  JSON.parse(text) as Readonly<Record<string, unknown>>;

/** Writes, and resolves when the kernel has it. */
export const write = (request: ClientRequest, bytes: Buffer): Promise<void> =>
  new Promise((resolve, reject) => {
    request.write(bytes, (error) => (error === null || error === undefined ? resolve() : reject(error)));
  });

function flat(headers: Readonly<Record<string, string | string[] | undefined>>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)]));
}
