import { afterEach } from 'vitest';
import type { TestEngine } from '../../support/databases.ts';
import { type LoopbackServer, startLoopbackServer } from '../../support/loopback-server.ts';

/** To be called in a `describeOnBothEngines`: starts a whole server over a fresh database, closed after the test. */
export function serverOn(engine: TestEngine): () => Promise<LoopbackServer> {
  const started: LoopbackServer[] = [];
  afterEach(async () => {
    for (const server of started.splice(0)) await server.close();
  });
  return async () => {
    const options = await engine.freshOptions();
    const server = await startLoopbackServer(options.engine === 'postgres' ? { postgresUrl: options.url } : {});
    started.push(server);
    return server;
  };
}
