/** Debian's Chromium with a page that runs a bundled module, on an origin of its own. */
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type BrowserContext, chromium, type Page } from 'playwright-core';
import { build } from 'vite';

const program = '/usr/bin/chromium';
const flags =
  '--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking --disable-component-update --disable-sync';

export interface BrowserPage {
  readonly page: Page;
  /** http://127.0.0.1:port */
  readonly origin: string;
  /** What the page wrote to its console as an error, and what it did not catch. */
  readonly complaints: readonly string[];
  close(): Promise<void>;
}

/** Rejects with a sentence when there is no Chromium. `module` is a path. */
export async function openPage(module: string): Promise<BrowserPage> {
  if (!existsSync(program))
    throw new Error(`This test needs Chromium at ${program}; on Debian: apt-get install chromium`);
  const files = await bundle(module);
  const site = createServer((request, response) => {
    const content = files.get(request.url ?? '');
    const type = request.url === '/' ? 'text/html' : (contentTypes[(request.url ?? '').split('.').at(-1) ?? ''] ?? '');
    if (content === undefined) response.writeHead(404).end();
    else response.writeHead(200, { 'content-type': type }).end(content);
  });
  const folder = mkdtempSync(join(tmpdir(), 'veche-chromium-'));
  try {
    const origin = await listen(site);
    const context = await chromium.launchPersistentContext(folder, {
      executablePath: program,
      headless: true,
      args: flags.split(' '),
    });
    return await load(context, origin, async () => {
      await context.close();
      await closeSite(site, folder);
    });
  } catch (error) {
    await closeSite(site, folder);
    throw error;
  }
}

const contentTypes: Readonly<Record<string, string>> = { js: 'text/javascript', wasm: 'application/wasm' };

async function load(context: BrowserContext, origin: string, close: () => Promise<void>): Promise<BrowserPage> {
  const complaints: string[] = [];
  const page = context.pages()[0] ?? (await context.newPage());
  page.on('console', (message) => void (message.type() === 'error' && complaints.push(message.text())));
  page.on('pageerror', (error) => void complaints.push(String(error)));
  await page.goto(`${origin}/`);
  return { page, origin, complaints, close };
}

/** The files of the site by path, made as any app is made for browsers. */
async function bundle(module: string): Promise<ReadonlyMap<string, string | Uint8Array>> {
  const built = await build({
    configFile: false,
    root: join(import.meta.dirname, '../..'),
    logLevel: 'warn',
    build: {
      write: false,
      minify: false,
      chunkSizeWarningLimit: 100_000,
      rolldownOptions: { input: module, output: { entryFileNames: 'page.js' } },
    },
  });
  const outputs = (Array.isArray(built) ? built : [built]).flatMap((one) => ('output' in one ? one.output : []));
  const files = new Map<string, string | Uint8Array>([
    ['/', '<!doctype html><meta charset="utf-8"><title>Talk</title><script type="module" src="/page.js"></script>'],
  ]);
  for (const output of outputs) files.set(`/${output.fileName}`, output.type === 'chunk' ? output.code : output.source);
  return files;
}

async function listen(site: Server): Promise<string> {
  site.listen(0, '127.0.0.1');
  await once(site, 'listening');
  return `http://127.0.0.1:${(site.address() as AddressInfo).port}`;
}

async function closeSite(site: Server, folder: string): Promise<void> {
  site.closeAllConnections();
  site.close();
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
}
