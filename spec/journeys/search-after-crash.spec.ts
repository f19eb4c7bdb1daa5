/** The server is killed while its search index is being written: what was acknowledged is found afterwards, each message once. */
import { afterEach, expect, it } from 'vitest';
import type { JsonObject } from '../../src/matrix/json/json-value.ts';
import { ServerProcess } from '../support/server-process.ts';
import { TestClient, succeeded } from '../support/test-client.ts';
import { eventually } from './support/eventually.ts';

let server: ServerProcess | undefined;
afterEach(async () => {
  await server?.close();
  server = undefined;
});

const crashes = 2;
const messagesEach = 40;

it('finds everything after being killed again and again', { timeout: 300_000 }, async () => {
  server = await ServerProcess.start();
  const alice = await TestClient.register(server, 'alice');
  const roomId = await alice.createRoom();
  const sent = new Set<string>();
  for (let crash = 0; crash < crashes; crash++) {
    const sending = Array.from({ length: messagesEach }, (_, i) => alice.say(roomId, `word ${crash} ${i}`));
    for (const id of await Promise.all(sending)) sent.add(id);
    await server.kill();
    await server.start();
  }
  const found = await eventually('the index is whole', async () => {
    const ids = await allFound(alice);
    return ids.length >= sent.size ? ids : undefined;
  });
  expect(new Set(found)).toEqual(sent);
  expect(found).toHaveLength(sent.size);
});

async function allFound(client: TestClient): Promise<string[]> {
  const ids: string[] = [];
  let nextBatch: string | undefined;
  do {
    const query = nextBatch === undefined ? '' : `?next_batch=${nextBatch}`;
    const roomEvents = { search_term: 'word', order_by: 'recent', filter: { limit: 50 } };
    const body = { search_categories: { room_events: roomEvents } };
    const answer = await succeeded(client.post(`/search${query}`, body));
    const page = (answer['search_categories'] as { room_events: { results: JsonObject[]; next_batch?: string } })
      .room_events;
    ids.push(...page.results.map(({ result }) => String((result as JsonObject)['event_id'])));
    nextBatch = page.next_batch;
  } while (nextBatch !== undefined);
  return ids;
}
