/** Rooms in which things relate to others. */
import type { EventId, RoomId } from '../../../src/matrix/ids/ids.ts';
import type { JsonObject } from '../../../src/matrix/json/json-value.ts';
import type { RelationsRequest } from '../../../src/rooms/relations/read-relations.ts';
import type { ThreadsRequest } from '../../../src/rooms/relations/read-threads.ts';
import type { TestEngine } from '../../support/databases.ts';
import { testPorts } from '../../support/test-ports.ts';
import { type ClientEvent, TestRooms, type TestUser, asSent } from '../../support/test-rooms.ts';
import { WatchedDatabase } from '../../support/watched-database.ts';

export interface RelationsPage {
  readonly chunk: readonly ClientEvent[];
  readonly next_batch?: string;
  readonly prev_batch?: string;
  readonly recursion_depth?: number;
}

export async function startRelations(engine: TestEngine) {
  const ports = testPorts(1);
  const db = new WatchedDatabase(await engine.open());
  const test = new TestRooms(db, ports);
  const [alice, bob] = [await test.user('alice'), await test.user('bob')];
  const roomId = await test.createRoom(alice);
  await test.rooms.joinRoom(bob, { roomId });
  let messages = 0;
  const relate = async (
    by: TestUser,
    relType: string,
    eventId: EventId,
    more: JsonObject = {},
    { type = 'm.room.message', room = roomId, key }: { type?: string; room?: RoomId; key?: string } = {},
  ): Promise<EventId> => {
    const relation = { rel_type: relType, event_id: eventId, ...(key === undefined ? {} : { key }) };
    const content = { body: `message ${++messages}`, ...more, 'm.relates_to': relation };
    return test.rooms.sendMessage(by, { roomId: room, type, content });
  };
  return {
    ports,
    db,
    test,
    alice,
    bob,
    roomId,
    relate,
    say: (by: TestUser, body = `message ${++messages}`) => test.say(by, roomId, body),
    edit: (by: TestUser, eventId: EventId, body: string) =>
      relate(by, 'm.replace', eventId, { body: `* ${body}`, 'm.new_content': { body } }),
    redact: (by: TestUser, eventId: EventId) => test.rooms.redactEvent(by, { roomId, eventId, content: {} }),
    relations: async (by: TestUser, eventId: EventId, request: Partial<RelationsRequest> = {}) =>
      asSent<RelationsPage>(await test.rooms.relations(by, { roomId, eventId, dir: 'b', limit: 50, ...request })),
    threads: async (by: TestUser, request: Partial<ThreadsRequest> = {}) =>
      asSent<RelationsPage>(await test.rooms.threads(by, roomId, { include: 'all', limit: 20, ...request })),
    bundle: async (by: TestUser, eventId: EventId) => bundleOf(await test.event(by, roomId, eventId)),
  };
}

export interface Bundle {
  readonly 'm.replace'?: ClientEvent;
  readonly 'm.thread'?: {
    readonly latest_event: ClientEvent;
    readonly count: number;
    readonly current_user_participated: boolean;
  };
  readonly 'm.reference'?: { readonly chunk: readonly { readonly event_id: EventId }[] };
}
export const bundleOf = (event: ClientEvent | undefined): Bundle | undefined =>
  event?.unsigned?.['m.relations'] as Bundle | undefined;

export const idsOf = (events: readonly ClientEvent[] | undefined): EventId[] =>
  (events ?? []).map((event) => event.event_id);
