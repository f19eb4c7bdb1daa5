import { mkdtempSync, rmSync } from 'node:fs';
import { type Server, type Socket, connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Stands between the server under test and PostgreSQL, and cuts a connection at a chosen moment. */
export class CuttingProxy {
  /** The folder to connect to instead of PostgreSQL's. */
  readonly folder: string;
  /** The next connection that sends this text loses it, or loses the answer. */
  cut: { readonly text: string; readonly when: 'before it arrives' | 'before it is answered' } | undefined;
  #isRefusing = false;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor(folder: string, target: string) {
    this.folder = folder;
    this.#server = createServer((client) => {
      if (this.#isRefusing) client.destroy();
      else this.#relay(client, connect(join(target, socketName)));
    });
  }

  static async start(target: string): Promise<CuttingProxy> {
    const proxy = new CuttingProxy(mkdtempSync(join(tmpdir(), 'veche-proxy-')), target);
    await new Promise<void>((resolve) => proxy.#server.listen(join(proxy.folder, socketName), resolve));
    return proxy;
  }

  /** While it is true, connections end at once. */
  set refuse(isRefusing: boolean) {
    this.#isRefusing = isRefusing;
    if (isRefusing) for (const socket of this.#sockets) socket.destroy();
  }

  stop(): void {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
    rmSync(this.folder, { recursive: true, force: true });
  }

  #relay(client: Socket, server: Socket): void {
    let answerIsLost = false;
    const end = () => {
      client.destroy();
      server.destroy();
    };
    for (const socket of [client, server]) {
      this.#sockets.add(socket);
      socket.on('error', end);
      socket.on('close', end);
    }
    client.on('data', (chunk) => {
      const { cut } = this;
      if (cut === undefined || !chunk.includes(cut.text)) return void server.write(chunk);
      this.cut = undefined;
      if (cut.when === 'before it arrives') return end();
      answerIsLost = true;
      server.write(chunk);
    });
    server.on('data', (chunk) => {
      if (answerIsLost) end();
      else client.write(chunk);
    });
  }
}

const socketName = '.s.PGSQL.5432';
