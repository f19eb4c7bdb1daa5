/** A complete server on a free port of the loopback address, with its database in memory. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadConfig } from '../../src/platform/config/config.ts';
import { createServer, type Server } from '../../src/server.ts';

export interface LoopbackServer {
  readonly server: Server;
  readonly url: string;
  close(): Promise<void>;
}

/** Registration is open, passwords are hashed cheaply, and nothing is limited or logged. `moreConfig`: further lines of the file. */
export async function startLoopbackServer(moreConfig: readonly string[] = []): Promise<LoopbackServer> {
  const folder = mkdtempSync(join(tmpdir(), 'veche-loopback-'));
  const configFile = join(folder, 'config.yaml');
  writeFileSync(
    configFile,
    [
      `data_dir: ${join(folder, 'data')}`,
      'registration: { enabled: true }',
      'password: { argon2: { memory_kib: 8, passes: 1 } }',
      'rate_limits: { enabled: false }',
      'log: { level: silent }',
      'listeners: [{ bind: 127.0.0.1, port: 0, serve: [client] }]',
      ...moreConfig,
    ].join('\n'),
  );
  const server = await createServer(loadConfig(configFile, {}), { sqlitePath: ':memory:' });
  return {
    server,
    url: `http://127.0.0.1:${server.addresses[0]?.port}`,
    async close() {
      await server.close();
      rmSync(folder, { recursive: true });
    },
  };
}
