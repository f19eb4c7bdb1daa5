/** The main job: two people talk with an unmodified client, and the server is killed in between. */
import { afterEach, it } from 'vitest';
import { ServerProcess } from '../support/server-process.ts';
import { expectTalk } from './support/expect-talk.ts';
import { talk } from './support/talk.ts';

let server: ServerProcess | undefined;
afterEach(() => server?.close());

it('lets two people talk with matrix-js-sdk over two crashes', async () => {
  const started = await ServerProcess.start();
  server = started;
  const said = await talk({
    baseUrl: started.url,
    killServer: async () => void (await started.kill()),
    startServer: () => started.start(),
  });
  expectTalk(said);
}, 300_000);
