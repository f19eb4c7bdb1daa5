import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../src/matrix/json/json-value.ts';
import { useFederatedServers } from '../../support/federated-servers.ts';
import { succeeded, type TestClient } from '../../support/test-client.ts';

interface SyncReply {
  readonly next_batch: string;
  readonly rooms?: {
    readonly join?: Readonly<
      Record<
        string,
        {
          readonly timeline: { readonly events: readonly JsonObject[] };
          readonly ephemeral: { readonly events: readonly JsonObject[] };
        }
      >
    >;
  };
  readonly presence?: { readonly events: readonly JsonObject[] };
}

/** Goes on syncing until something that came satisfies. */
async function until(client: TestClient, isThere: (reply: SyncReply) => boolean, patience = 60): Promise<void> {
  let since: string | undefined;
  for (let round = 0; round < patience; round++) {
    const query = { timeout: '1000', ...(since === undefined ? {} : { since }) };
    const reply = (await succeeded(client.get('/sync', query))) as JsonObject & SyncReply;
    if (isThere(reply)) return;
    since = reply.next_batch;
  }
  throw new Error('what was waited for did not come');
}

describe('two servers', () => {
  const servers = useFederatedServers(['one.test', 'two.test'], { isOnDisk: true });
  const together = async () => {
    const alice = await servers.register('one.test', 'alice');
    const bob = await servers.register('two.test', 'bob');
    const roomId = await alice.createRoom({ preset: 'public_chat' });
    await succeeded(bob.post(`/join/${encodeURIComponent(roomId)}?server_name=one.test`));
    return { alice, bob, roomId, path: `/rooms/${encodeURIComponent(roomId)}` };
  };
  const timeline = (reply: SyncReply, roomId: string) => reply.rooms?.join?.[roomId]?.timeline.events ?? [];
  const ephemeral = (reply: SyncReply, roomId: string) => reply.rooms?.join?.[roomId]?.ephemeral.events ?? [];
  const hasEvent = (roomId: string, eventId: string) => (reply: SyncReply) =>
    timeline(reply, roomId).some((event) => event['event_id'] === eventId);

  it('tell each other what is said, who types, what was read and who is there', async () => {
    const { alice, bob, roomId, path } = await together();
    const said = await alice.say(roomId, 'hello');
    await until(bob, hasEvent(roomId, said));
    const answered = await bob.say(roomId, 'hello yourself');
    await until(alice, hasEvent(roomId, answered));
    await succeeded(alice.put(`${path}/typing/${encodeURIComponent(alice.userId)}`, { typing: true, timeout: 60_000 }));
    await until(bob, (reply) =>
      ephemeral(reply, roomId).some(
        ({ type, content }) =>
          type === 'm.typing' && JSON.stringify(content) === JSON.stringify({ user_ids: [alice.userId] }),
      ),
    );
    await succeeded(bob.post(`${path}/receipt/m.read/${encodeURIComponent(said)}`));
    await until(alice, (reply) =>
      ephemeral(reply, roomId).some(
        ({ type, content }) => type === 'm.receipt' && JSON.stringify(content).includes(bob.userId),
      ),
    );
    const status = { presence: 'online', status_msg: 'at the other end' };
    await succeeded(bob.put(`/presence/${encodeURIComponent(bob.userId)}/status`, status));
    await until(
      alice,
      (reply) =>
        reply.presence?.events.some(
          ({ sender, content }) => sender === bob.userId && JSON.stringify(content).includes('at the other end'),
        ) === true,
    );
  });

  it('make up for what was missed: cut off, stopped, or with a sender that was restarted', async () => {
    const { alice, bob, roomId } = await together();
    servers.cut('one.test', 'two.test');
    const missed = await alice.say(roomId, 'nobody hears this');
    servers.mend('one.test', 'two.test');
    // Whoever is heard from is tried again.
    const heard = await bob.say(roomId, 'are you there?');
    await until(alice, hasEvent(roomId, heard));
    await until(bob, hasEvent(roomId, missed));
    await servers.stop('two.test');
    const alone: string[] = [];
    for (let i = 0; i < 5; i++) alone.push(await alice.say(roomId, `alone ${i}`));
    await servers.restart('one.test');
    await servers.restart('two.test');
    const back = await bob.say(roomId, 'back');
    await until(alice, hasEvent(roomId, back));
    await until(bob, hasEvent(roomId, alone.at(-1)!));
    const { chunk } = (await succeeded(
      bob.get(`/rooms/${encodeURIComponent(roomId)}/messages`, { dir: 'b', limit: '50' }),
    )) as { chunk: { event_id: string }[] };
    const order = chunk.map((event) => event.event_id).toReversed();
    expect(order.filter((eventId) => alone.includes(eventId))).toEqual(alone);
  });
});
