/** Web servers for specs whose pages are functions. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export type Answer = (request: IncomingMessage, response: ServerResponse) => void;

export interface Site {
  /** In the order in which they came. */
  readonly asked: readonly IncomingMessage[];
  readonly port: number;
  paths(): readonly (string | undefined)[];
  /** At http://site.example. */
  url(path: string): string;
  close(): Promise<void>;
}

/** A web server with these pages, by their paths. */
export async function openSite(pages: Readonly<Record<string, Answer>>): Promise<Site> {
  const asked: IncomingMessage[] = [];
  const server: Server = createServer((request, response) => {
    asked.push(request);
    const page = pages[(request.url ?? '').split('?')[0] ?? ''];
    if (page === undefined) response.writeHead(404).end();
    else page(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    asked,
    port,
    paths: () => asked.map(({ url }) => url),
    url: (path) => `http://site.example:${port}${path}`,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

export const html =
  (text: string, headers: Readonly<Record<string, string>> = {}): Answer =>
  (_request, response) =>
    response.writeHead(200, { 'Content-Type': 'text/html; charset=utf-8', ...headers }).end(text);
export const redirect =
  (location: string, status = 302): Answer =>
  (_request, response) =>
    response.writeHead(status, { Location: location }).end();
export const image =
  (bytes: Buffer, type = 'image/png'): Answer =>
  (_request, response) =>
    response.writeHead(200, { 'Content-Type': type, 'Content-Length': bytes.length }).end(bytes);
export const page = (title: string, more = ''): string =>
  `<head><title>${title}</title>${more}</head><body>Words</body>`;
