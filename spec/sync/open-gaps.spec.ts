import { expect, it } from 'vitest';
import type { EventId } from '../../src/matrix/ids/ids.ts';
import { RequiredState } from '../../src/sync/sliding/required-state.ts';
import type { SlidingRequest } from '../../src/sync/sliding/sliding-request.ts';
import { alice, FarRoom } from '../federation/receive/support/far-room.ts';
import { NearServer } from '../federation/receive/support/near-server.ts';
import { describeOnBothEngines } from '../support/databases.ts';
import type { SlidingAnswer } from './sliding/support/sliding-client.ts';

const idsOf = (events: readonly { readonly event_id: EventId }[]): EventId[] => events.map((one) => one.event_id);

const required = new RequiredState([{ include: [], exclude: [], lazyMembers: false }]);

describeOnBothEngines('a timeline in which something is missing', (engine) => {
  /** Ten messages and a topic are missing between what the client knows and the last two messages. */
  const start = async () => {
    const room = FarRoom.withMembers();
    const server = new NearServer(await engine.open(), room, { fetchesHistory: true });
    await server.take(room);
    const reader = await server.bob();
    const { next_batch: since } = await server.test.syncOnce(reader);
    const seen = room.say(alice, 'seen');
    await server.send([seen]);
    const missing = [
      ...room.chain(alice, 10),
      room.add({ type: 'm.room.topic', stateKey: '', sender: alice, content: { topic: 'missed' } }),
    ];
    room.givesNoMissingEvents = true;
    const last = room.chain(alice, 2, 'last');
    await server.send(last);
    await server.settled();
    const joined = async (from?: string) => (await server.test.syncOnce(reader, from)).rooms?.join?.[room.roomId];
    return { server, room, reader, since, seen, missing, last, joined };
  };
  const ids = (events: readonly { readonly event: { readonly eventId: EventId } }[]): EventId[] =>
    events.map(({ event }) => event.eventId);

  it('begins behind it, limited, with the state that changed meanwhile, and the rest is paged back to', async () => {
    const { server, room, reader, since, seen, missing, last, joined } = await start();
    for (const from of [since, undefined]) {
      const told = await joined(from);
      expect(idsOf(told!.timeline.events)).toEqual(ids(last));
      expect(told?.timeline.limited).toBe(true);
      expect(told?.state.events.map(({ type }) => type)).toContain('m.room.topic');
    }
    const { prev_batch: prevBatch } = (await joined(since))!.timeline;
    const page = await server.test.history(reader, room.roomId, { from: prevBatch, limit: 12 });
    expect(idsOf(page.chunk).toReversed()).toEqual(ids([seen, ...missing]));
    // Nothing is missing any more.
    const told = await joined(since);
    expect(idsOf(told!.timeline.events)).toEqual([...ids(missing).slice(3), ...ids(last)]);
    await server.close();
  });

  it('is not limited for who has been told of what came after it', async () => {
    const { server, room, reader, since, joined } = await start();
    const { next_batch: now } = await server.test.syncOnce(reader, since);
    const next = room.say(alice, 'next');
    await server.send([next]);
    const told = await joined(now);
    expect(told?.timeline).toMatchObject({ limited: false, events: [{ event_id: next.event.eventId }] });
    await server.close();
  });

  it('is limited in sliding sync, too', async () => {
    const { server, room, reader, last } = await start();
    const request: SlidingRequest = {
      requester: reader,
      shape: 'v4',
      connId: 'main',
      pos: undefined,
      timeoutMs: 0,
      setPresence: 'offline',
      lists: [{ name: 'all', ranges: [[0, 9]], timelineLimit: 20, required, filter: {}, filterKey: '' }],
      subscriptions: new Map(),
      extensions: {},
      signature: '',
      signal: new AbortController().signal,
    };
    const answer = JSON.parse(await server.test.sync.sliding(request)) as SlidingAnswer;
    const told = answer.rooms[room.roomId]!;
    expect(told.timeline?.map((event) => event.event_id)).toEqual(ids(last));
    expect(told).toMatchObject({ limited: true, prev_batch: expect.any(String) });
    await server.close();
  });
});
