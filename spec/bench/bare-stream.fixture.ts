/**
 * What files are compared with: a server that puts bodies into a file, syncs it, and sends it back, by streams of Node and
 * nothing else. Its first argument is the file; it prints its port.
 */
import { createReadStream, createWriteStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { pipeline } from 'node:stream/promises';

const [, , file = ''] = process.argv;

const server = createServer((request, response) => {
  (request.method === 'POST' ? receive(request, response) : pipeline(createReadStream(file), response)).catch(
    (error: unknown) => {
      console.error(error);
      response.destroy();
    },
  );
});
server.requestTimeout = 0;
server.listen(0, '127.0.0.1', () => console.log((server.address() as AddressInfo).port));

async function receive(request: IncomingMessage, response: ServerResponse): Promise<void> {
  await pipeline(request, createWriteStream(file));
  const handle = await open(file, 'r+');
  await handle.datasync();
  await handle.close();
  response.end('{}');
}
