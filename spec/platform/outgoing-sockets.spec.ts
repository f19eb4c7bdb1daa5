import { createServer, type Server, type Socket } from 'node:net';
import type { AddressInfo } from 'node:net';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemSockets } from '../../src/platform/outgoing-sockets.ts';

let server: Server;
let address: { readonly host: string; readonly port: number };
const accepted: Socket[] = [];
beforeEach(async () => {
  server = createServer((socket) => {
    socket.on('error', () => undefined);
    accepted.push(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  address = { host: '127.0.0.1', port: (server.address() as AddressInfo).port };
});
afterEach(async () => {
  for (const socket of accepted.splice(0)) socket.destroy();
  await new Promise((resolve) => server.close(resolve));
});

describe('connections to programs that the configuration names', () => {
  it('carry bytes in both directions', async () => {
    const socket = await systemSockets.connect(address, new AbortController().signal);
    const [there] = accepted.length > 0 ? accepted : ((await once(server, 'connection')) as Socket[]);
    socket.write('ping');
    const [received] = (await once(there as Socket, 'data')) as [Buffer];
    expect(received.toString()).toBe('ping');
    there?.end('pong');
    expect(await text(socket)).toBe('pong');
  });

  it('are not made when their signal came before', async () => {
    await expect(systemSockets.connect(address, AbortSignal.abort(new Error('no')))).rejects.toThrow('no');
  });

  it('end by their signal, and nobody has to look at the error', async () => {
    const controller = new AbortController();
    const socket = await systemSockets.connect(address, controller.signal);
    const closed = new Promise<void>((resolve) => {
      socket.once('close', resolve);
    });
    controller.abort();
    await closed;
    expect(socket.destroyed).toBe(true);
  });

  it('say what went wrong', async () => {
    const never = new AbortController().signal;
    const { port } = address;
    await expect(systemSockets.connect({ path: '/nonexistent/socket' }, never)).rejects.toMatchObject({
      code: 'ENOENT',
    });
    await new Promise((resolve) => server.close(resolve));
    await expect(systemSockets.connect({ host: '127.0.0.1', port }, never)).rejects.toMatchObject({
      code: 'ECONNREFUSED',
    });
    server.listen(0, '127.0.0.1');
  });
});
