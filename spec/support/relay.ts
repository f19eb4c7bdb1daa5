/** Stands between a client and a server, and is the bad line: it delays, and it cuts. */
import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';

export interface RelayOptions {
  readonly port: number;
  readonly host?: string;
  /** Each way. */
  readonly delayMs?: number;
  /** After how many bytes towards the server, counted over all connections, the connection that has them is cut. */
  readonly cutsAt?: readonly number[];
}

export class Relay {
  /** Bytes that went on to the server, requests' heads among them. */
  sentBytes = 0;
  cuts = 0;
  readonly #options: RelayOptions;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #cutsAt: number[];
  #isOut = false;

  private constructor(options: RelayOptions) {
    this.#options = options;
    this.#cutsAt = [...(options.cutsAt ?? [])];
    this.#server = createServer({ allowHalfOpen: true }, (client) => this.#relay(client));
  }

  static async start(
    options: RelayOptions,
    bind: { readonly host: string; readonly port: number } = loopback,
  ): Promise<Relay> {
    const relay = new Relay(options);
    relay.#server.listen(bind.port, bind.host);
    await once(relay.#server, 'listening');
    return relay;
  }

  get port(): number {
    const address = this.#server.address();
    if (address === null || typeof address === 'string') throw new Error('the relay is closed');
    return address.port;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** Nothing goes through any more, and all that is open is cut. */
  goOut(): void {
    this.#isOut = true;
    for (const socket of this.#sockets) socket.destroy();
  }
  comeBack(): void {
    this.#isOut = false;
  }

  async close(): Promise<void> {
    this.#server.close();
    this.goOut();
    if (this.#server.listening) await once(this.#server, 'close');
  }

  #relay(client: Socket): void {
    if (this.#isOut) return void client.destroy();
    const server = connect({ port: this.#options.port, host: this.#options.host ?? '127.0.0.1', allowHalfOpen: true });
    for (const [socket, other] of [
      [client, server],
      [server, client],
    ] as const) {
      this.#sockets.add(socket);
      socket.on('error', () => other.destroy());
      socket.on('close', () => {
        this.#sockets.delete(socket);
        if (socket.errored === null) other.end();
        else other.destroy();
      });
    }
    this.#pass(client, server, (chunk) => this.#countUp(chunk, client, server));
    this.#pass(server, client, (chunk) => chunk);
  }

  /** What of a chunk goes on; the connection is cut behind it where that is less. */
  #countUp(chunk: Buffer, client: Socket, server: Socket): Buffer {
    const [cutAt] = this.#cutsAt;
    const isCut = cutAt !== undefined && this.sentBytes + chunk.length >= cutAt;
    const passed = isCut ? chunk.subarray(0, Math.max(0, cutAt - this.sentBytes)) : chunk;
    this.sentBytes += passed.length;
    if (!isCut) return passed;
    this.#cutsAt.shift();
    this.cuts += 1;
    client.destroy();
    server.end(passed);
    return Buffer.alloc(0);
  }

  #pass(from: Socket, to: Socket, through: (chunk: Buffer) => Buffer): void {
    const { delayMs = 0 } = this.#options;
    let waiting = 0;
    const write = (chunk: Buffer): void => {
      if (to.destroyed || to.writableEnded) return;
      const passed = through(chunk);
      if (passed.length > 0 && !to.write(passed)) from.pause();
    };
    to.on('drain', () => from.resume());
    from.on('data', (chunk: Buffer) => {
      if (delayMs === 0) return write(chunk);
      waiting += 1;
      setTimeout(() => {
        waiting -= 1;
        write(chunk);
        if (waiting === 0 && from.readableEnded && !to.writableEnded) to.end();
      }, delayMs);
    });
    from.on('end', () => {
      if (waiting === 0 && !to.writableEnded) to.end();
    });
  }
}

const loopback = { host: '127.0.0.1', port: 0 };
