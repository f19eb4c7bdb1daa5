/** A room whose events a spec makes itself, without hashes and signatures, which the room graph does not look at. */
import { authTypesForEvent } from '../../../../src/matrix/event-auth/auth-types.ts';
import type { RoomEvent } from '../../../../src/matrix/events/room-event.ts';
import { roomEventFromPdu } from '../../../../src/matrix/events/room-event-from-pdu.ts';
import type { EventId, RoomId } from '../../../../src/matrix/ids/ids.ts';
import { roomIdOfCreateEvent } from '../../../../src/matrix/ids/room-id.ts';
import type { JsonObject } from '../../../../src/matrix/json/json-value.ts';
import type { RoomVersionRules } from '../../../../src/matrix/room-versions/rules.ts';
import { findRoomVersion } from '../../../../src/matrix/room-versions/table.ts';
import type { RoomDag, RoomDags } from '../../../../src/rooms/dag/contract.ts';

export function rulesOf(version: string): RoomVersionRules {
  const rules = findRoomVersion(version);
  if (rules === undefined) throw new Error(`no room version ${version}`);
  return rules;
}

export interface EventFields {
  readonly eventId: EventId;
  readonly roomId: RoomId | undefined;
  readonly type: string;
  readonly stateKey?: string | undefined;
  readonly sender: string;
  readonly content: JsonObject;
  readonly originServerTs: number;
  readonly depth: number;
  readonly prevEvents: readonly EventId[];
  readonly authEvents: readonly EventId[];
}
export interface MadeEvent {
  readonly event: RoomEvent;
  readonly body: string;
}

/** In the room version's own form, as far as it differs. */
export function makeEvent(fields: EventFields, rules: RoomVersionRules): MadeEvent {
  const references = (ids: readonly EventId[]) =>
    rules.referenceFormat === 'id' ? ids : ids.map((id) => [id, { sha256: 'x' }] as const);
  const pdu: JsonObject = {
    type: fields.type,
    ...(fields.stateKey === undefined ? {} : { state_key: fields.stateKey }),
    ...(fields.roomId === undefined ? {} : { room_id: fields.roomId }),
    ...(rules.eventFormat.eventIdField ? { event_id: fields.eventId } : {}),
    sender: fields.sender,
    content: fields.content,
    origin_server_ts: fields.originServerTs,
    depth: fields.depth,
    prev_events: references(fields.prevEvents),
    auth_events: references(fields.authEvents),
    signatures: { [fields.sender.slice(fields.sender.indexOf(':') + 1)]: { 'ed25519:1': 'signature' } },
  };
  return { event: roomEventFromPdu(pdu, rules, fields.eventId), body: JSON.stringify(pdu) };
}

/** A room made and written to by local users, on the frontier. */
export class LocalRoom {
  readonly dag: RoomDag;
  readonly creator: string;
  #count = 1;

  private constructor(dag: RoomDag, creator: string) {
    this.dag = dag;
    this.creator = creator;
  }

  static async create(dags: RoomDags, version: string, creator = '@alice:one', name = 'room'): Promise<LocalRoom> {
    const rules = rulesOf(version);
    const eventId = `$${name}-create` as EventId;
    const named = rules.roomIdFormat === 'create-event-id';
    const content = {
      room_version: version,
      ...(rules.eventAuth.creatorFrom === 'content' ? { creator } : {}),
    };
    const create = makeEvent(
      {
        eventId,
        roomId: named ? undefined : (`!${name}:one` as RoomId),
        type: 'm.room.create',
        stateKey: '',
        sender: creator,
        content,
        originServerTs: 1,
        depth: 1,
        prevEvents: [],
        authEvents: [],
      },
      rules,
    );
    const begun = dags.begin(create.event);
    const { verdict } = await begun.dag.receive(create.event, create.body, { local: true });
    if (!verdict.ok) throw new Error(verdict.reason);
    begun.handIn();
    const dag = await dags.open(create.event.roomId);
    if (named && dag.roomId !== roomIdOfCreateEvent(eventId)) throw new Error('another room id was expected');
    const room = new LocalRoom(dag, creator);
    await room.send('m.room.member', creator, creator, { membership: 'join' });
    const users = named ? {} : { [creator]: 100 };
    await room.send('m.room.power_levels', '', creator, { users });
    await room.send('m.room.join_rules', '', creator, { join_rule: 'public' });
    return room;
  }

  /** An event on the frontier, with the auth events of the current state. */
  async make(type: string, stateKey: string | undefined, sender: string, content: JsonObject): Promise<MadeEvent> {
    const { dag } = this;
    const subject = { type, stateKey, sender: sender as RoomEvent['sender'], content };
    const tuples = authTypesForEvent(subject, dag.rules);
    const state = await dag.currentEvents(tuples);
    const authEvents = tuples.flatMap(([type, key]) => state(type, key)?.eventId ?? []);
    const frontier = dag.frontier();
    const fields: EventFields = {
      eventId: `${dag.roomId.replace('!', '$')}-${++this.#count}` as EventId,
      roomId: dag.roomId,
      type,
      stateKey,
      sender,
      content,
      originServerTs: this.#count,
      depth: frontier.depth,
      prevEvents: frontier.prevEvents.map((at) => at.eventId),
      authEvents,
    };
    return makeEvent(fields, dag.rules);
  }

  async send(type: string, stateKey: string | undefined, sender: string, content: JsonObject) {
    const { event, body } = await this.make(type, stateKey, sender, content);
    const placed = await this.dag.receive(event, body, { local: true });
    if (!placed.verdict.ok) throw new Error(`${type} was refused: ${placed.verdict.reason}`);
    return { event, placed };
  }
}
