/** A client that costs little: one keep-alive connection, one request at a time, bodies as text. */
import { connect, type Socket } from 'node:net';

export interface Answer {
  readonly status: number;
  readonly body: string;
}

export class HttpConnection {
  readonly #socket: Socket;
  readonly #host: string;
  #received = '';
  #waiting: PromiseWithResolvers<Answer> | undefined;

  private constructor(socket: Socket, host: string) {
    this.#socket = socket;
    this.#host = host;
    socket.setEncoding('latin1');
    socket.on('data', (chunk: string) => this.#receive(chunk));
    const fail = (error?: Error) => this.#fail(error ?? new Error('the server closed the connection'));
    socket.on('error', fail).on('close', () => fail());
  }

  static async open(port: number): Promise<HttpConnection> {
    const socket = connect({ host: '127.0.0.1', port, noDelay: true });
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', resolve).once('error', reject);
    });
    return new HttpConnection(socket, `127.0.0.1:${port}`);
  }

  /** Rejects when the connection breaks. */
  request(method: string, path: string, token?: string, json?: unknown): Promise<Answer> {
    if (this.#waiting !== undefined) throw new Error('one request at a time');
    this.#waiting = Promise.withResolvers();
    const body = json === undefined ? '' : JSON.stringify(json);
    const authorization = token === undefined ? '' : `Authorization: Bearer ${token}\r\n`;
    const content =
      json === undefined
        ? ''
        : `Content-Type: application/json\r\nContent-Length: ${String(Buffer.byteLength(body))}\r\n`;
    this.#socket.write(
      `${method} ${path} HTTP/1.1\r\nHost: ${this.#host}\r\nUser-Agent: bench\r\nAccept: application/json\r\n${authorization}${content}\r\n${body}`,
    );
    return this.#waiting.promise;
  }

  close(): void {
    this.#waiting = undefined;
    this.#socket.destroy();
  }

  #receive(chunk: string): void {
    this.#received += chunk;
    const head = this.#received.indexOf('\r\n\r\n');
    if (head < 0) return;
    const length = Number(/\r\ncontent-length: (\d+)/i.exec(this.#received.slice(0, head))?.[1] ?? 0);
    const end = head + 4 + length;
    if (this.#received.length < end) return;
    const status = Number(this.#received.slice(9, 12));
    const body = Buffer.from(this.#received.slice(head + 4, end), 'latin1').toString();
    this.#received = this.#received.slice(end);
    const waiting = this.#waiting;
    this.#waiting = undefined;
    waiting?.resolve({ status, body });
  }

  #fail(error: Error): void {
    this.#waiting?.reject(error);
    this.#waiting = undefined;
  }
}
