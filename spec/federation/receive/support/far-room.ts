/**
 * A room on another server, event by event: every event may have any parents, and what is told of them may be less than there
 * is. States are those of rooms in which nothing contradicts.
 */
import { authTypesForEvent } from '../../../../src/matrix/event-auth/auth-types.ts';
import { type SigningKey, signingKeyFromSeed, verifyKeyOf } from '../../../../src/matrix/crypto/ed25519.ts';
import { roomEventFromPdu } from '../../../../src/matrix/events/room-event-from-pdu.ts';
import type { RoomEvent } from '../../../../src/matrix/events/room-event.ts';
import { parseStoredPdu } from '../../../../src/matrix/events/stored-pdu.ts';
import type { EventId, RoomId, ServerName, UserId } from '../../../../src/matrix/ids/ids.ts';
import type { JsonObject } from '../../../../src/matrix/json/json-value.ts';
import { findRoomVersion } from '../../../../src/matrix/room-versions/table.ts';
import type { RoomVersionRules } from '../../../../src/matrix/room-versions/rules.ts';
import type { UnverifiedBody } from '../../../../src/federation/contract.ts';
import { KnownKeys, placeOf } from '../../../../src/federation/keys/known-keys.ts';
import { VerifyKeys } from '../../../../src/federation/keys/verify-keys.ts';
import { ThreadedVerifier } from '../../../../src/federation/verify/threaded-verifier.ts';
import { VerifyThreads } from '../../../../src/federation/verify/verify-threads.ts';
import { parseXMatrix, signRequest } from '../../../../src/matrix/crypto/x-matrix.ts';
import { legacyCanonicalJson } from '../../../../src/matrix/json/canonical-json.ts';
import type { Workers } from '../../../../src/platform/ports.ts';
import { FederationError } from '../../../../src/federation/federation-error.ts';
import type { RemoteRooms } from '../../../../src/federation/remote-rooms.ts';
import { buildEvent, type EventDraft, type Signer } from '../../../../src/rooms/build-event.ts';
import { serverOf } from '../../../../src/rooms/context.ts';
import type { CheckedEvent } from '../../../../src/rooms/receive-event.ts';

export const far = 'far.example' as ServerName;
export const other = 'other.example' as ServerName;
export const near = 'near.example' as ServerName;
export const alice = `@alice:${far}` as UserId;
export const eve = `@eve:${other}` as UserId;
export const bob = `@bob:${near}` as UserId;

/** With which a server signs. */
export const keyOf = (serverName: ServerName): SigningKey => keys.get(serverName)!;
const keys = new Map(
  [far, other, near].map((name, i) => [name, signingKeyFromSeed('ed25519:k', Buffer.alloc(32, i + 40))]),
);
export const signerOf = (serverName: ServerName): Signer => ({ serverName, key: keys.get(serverName)! });

/** With the keys of all three, and of nobody else. */
export function testVerifier(workers: Workers): ThreadedVerifier {
  const known = Array.from(keys, ([serverName, key]) => {
    const serverKey = { keyId: key.keyId, key: verifyKeyOf(key), validUntilTs: Infinity, isOld: false };
    return [placeOf(serverName, key.keyId), serverKey] as const;
  });
  const keyRing = { load: async () => new KnownKeys(new Map(known)) };
  const threads = new VerifyThreads(workers, 1, { keysMax: 100 });
  return new ThreadedVerifier({ threads, keyRing, verifyKeys: new VerifyKeys(100) });
}

/** A transaction as it comes. */
export function signedBody(origin: ServerName, txnId: string, content: JsonObject): UnverifiedBody {
  const key = keys.get(origin)!;
  const request = { origin, destination: near, method: 'PUT', uri: `/_matrix/federation/v1/send/${txnId}` };
  const header = parseXMatrix(signRequest({ ...request, content }, key));
  if (header === undefined) throw new Error('a request cannot be signed');
  const { publicKey } = verifyKeyOf(key);
  const signatures = [{ keyId: key.keyId, sig: header.sig, publicKey }];
  return {
    bytes: Buffer.from(legacyCanonicalJson(content)),
    signature: { ...request, signatures },
    confirm: () => undefined,
  };
}

export interface FarEvent extends CheckedEvent {
  /** As it is sent. */
  readonly pdu: JsonObject;
  readonly before: ReadonlyMap<string, EventId>;
  readonly after: ReadonlyMap<string, EventId>;
}

export interface FarOptions {
  readonly prev?: readonly EventId[];
  readonly auth?: readonly EventId[];
  readonly ts?: number;
  /** What the event says of its depth; absent: one more than its parents. */
  readonly depth?: number;
}

export class FarRoom {
  readonly roomId: RoomId;
  readonly rules: RoomVersionRules;
  readonly events = new Map<EventId, FarEvent>();
  /** Newest last. */
  readonly order: FarEvent[] = [];
  /** Of which nothing is told. */
  readonly withheld = new Set<EventId>();
  /** Of which nobody knows the state before them. */
  readonly withoutState = new Set<EventId>();
  /** That no question for history brings. */
  readonly notInHistory = new Set<EventId>();
  /** Nothing is answered when missing events are asked for. */
  givesNoMissingEvents = false;
  /** Nothing is answered when the auth chain of an event is asked for. */
  givesNoAuthChains = false;
  /** That no question for missing events brings, although they can be had one by one. */
  readonly tooOld = new Set<EventId>();
  /** What was asked, as "operation id". */
  readonly asked: string[] = [];
  /** Servers that do not answer. */
  readonly silent = new Set<ServerName>();
  #ts = 1_700_000_000_000;

  constructor(version = '11', roomId = `!room:${far}` as RoomId) {
    const rules = findRoomVersion(version);
    if (rules === undefined) throw new Error(`no room version ${version}`);
    this.rules = rules;
    this.roomId = roomId;
  }

  /** With alice, who made it, eve, and bob, who is of the server under test. */
  static withMembers(version = '11', roomId = `!room:${far}`): FarRoom {
    const room = new FarRoom(version, roomId as RoomId);
    room.add({
      type: 'm.room.create',
      stateKey: '',
      sender: alice,
      content: { room_version: version, creator: alice },
    });
    room.join(alice);
    const powerLevels = { users: { [alice]: 100 } };
    room.add({ type: 'm.room.power_levels', stateKey: '', sender: alice, content: powerLevels });
    room.add({ type: 'm.room.join_rules', stateKey: '', sender: alice, content: { join_rule: 'public' } });
    room.join(eve);
    room.join(bob);
    return room;
  }

  get tip(): EventId {
    return this.order.at(-1)!.event.eventId;
  }

  join(userId: UserId, options: FarOptions = {}): FarEvent {
    return this.member(userId, userId, 'join', options);
  }
  member(sender: UserId, userId: UserId, membership: string, options: FarOptions = {}): FarEvent {
    return this.add({ type: 'm.room.member', stateKey: userId, sender, content: { membership } }, options);
  }
  say(sender: UserId, body: string, options: FarOptions = {}): FarEvent {
    return this.add({ type: 'm.room.message', sender, content: { msgtype: 'm.text', body } }, options);
  }
  chain(sender: UserId, count: number, name = 'message'): FarEvent[] {
    return Array.from({ length: count }, (_, i) => this.say(sender, `${name} ${i}`));
  }

  add(draft: EventDraft, options: FarOptions = {}): FarEvent {
    const prev = options.prev ?? (this.order.length === 0 ? [] : [this.tip]);
    const before = this.#stateAfter(prev);
    const auth = options.auth ?? this.#authFor(draft, before);
    const depths = prev.map((id) => this.events.get(id)?.event.depth ?? 0);
    const place = {
      roomId: this.roomId,
      rules: this.rules,
      prevEvents: prev.map((eventId) => ({ eventId })),
      authEvents: auth.map((eventId) => ({ eventId })),
      depth: options.depth ?? Math.max(0, ...depths) + 1,
      originServerTs: options.ts ?? ++this.#ts,
    };
    const built = buildEvent(draft, place, [signerOf(serverOf(draft.sender))], () => `${this.order.length}`);
    const after =
      draft.stateKey === undefined ? before : new Map(before).set(stateKeyOf(built.event), built.event.eventId);
    const pdu = parseStoredPdu(built.body, this.rules);
    const added = { event: built.event, body: built.body, pdu, before, after };
    this.events.set(built.event.eventId, added);
    this.order.push(added);
    return added;
  }

  /** An event of another server, as it came. */
  take(pdu: JsonObject, eventId: EventId): FarEvent {
    const event = roomEventFromPdu(pdu, this.rules, eventId);
    const before = this.#stateAfter(event.prevEvents);
    const after = event.stateKey === undefined ? before : new Map(before).set(stateKeyOf(event), eventId);
    const taken = { event, body: JSON.stringify(pdu), pdu, before, after };
    this.events.set(eventId, taken);
    this.order.push(taken);
    return taken;
  }

  /** All that the events cite, however far, each once. */
  authChainOf(ids: Iterable<EventId>): EventId[] {
    return [...this.#authChain(ids)];
  }

  /** What an event cites by the state after the newest one. */
  authEventsFor(draft: EventDraft): EventId[] {
    return this.#authFor(draft, this.#stateAfter([this.tip]));
  }

  /** What this server and others answer. */
  remoteRooms(): RemoteRooms {
    const told = (server: ServerName, operation: string, eventId: EventId): FarEvent => {
      this.asked.push(`${operation} ${eventId}`);
      if (this.silent.has(server)) throw new FederationError(server, 'unreachable', 'it does not answer');
      const event = this.withheld.has(eventId) ? undefined : this.events.get(eventId);
      if (event === undefined) throw new FederationError(server, 'answered', 'not found', { status: 404 });
      return event;
    };
    const pduOf = (eventId: EventId): JsonObject => this.events.get(eventId)!.pdu;
    const chain = (ids: Iterable<EventId>): EventId[] => [...this.#authChain(ids)];
    return {
      getEvent: async (server, eventId) => told(server, 'event', eventId).pdu,
      stateIds: async (server, { eventId }) => {
        const { before } = told(server, 'state_ids', eventId);
        if (this.withoutState.has(eventId)) throw new FederationError(server, 'answered', 'not found', { status: 404 });
        return { stateIds: [...before.values()], authChainIds: chain(before.values()) };
      },
      state: async (server, { eventId }) => {
        const { before } = told(server, 'state', eventId);
        return { state: [...before.values()].map(pduOf), authChain: chain(before.values()).map(pduOf) };
      },
      eventAuth: async (server, { eventId }) => {
        const { event } = told(server, 'event_auth', eventId);
        if (this.givesNoAuthChains) throw new FederationError(server, 'answered', 'not found', { status: 404 });
        return chain(event.authEvents).map(pduOf);
      },
      missingEvents: async (server, { latest, earliest, limit }) => {
        this.asked.push(`get_missing_events ${latest.join(' ')}`);
        if (this.silent.has(server)) throw new FederationError(server, 'unreachable', 'it does not answer');
        const found = new Set<EventId>();
        if (this.givesNoMissingEvents) return [];
        let next = latest.flatMap((id) => this.events.get(id)?.event.prevEvents ?? []);
        while (next.length > 0 && found.size < limit) {
          const level = next.filter((id) => !found.has(id) && !earliest.includes(id) && !this.isHidden(id));
          for (const id of level.slice(0, limit - found.size)) found.add(id);
          next = level.flatMap((id) => this.events.get(id)?.event.prevEvents ?? []);
        }
        return [...found].map(pduOf);
      },
      backfill: async (server, { from, limit }) => {
        this.asked.push(`backfill ${from.join(' ')}`);
        if (this.silent.has(server)) throw new FederationError(server, 'unreachable', 'it does not answer');
        const found = new Set<EventId>();
        let next = from.filter((id) => this.events.has(id) && !this.withheld.has(id));
        while (next.length > 0 && found.size < limit) {
          for (const id of next.slice(0, limit - found.size)) found.add(id);
          const parents = next.flatMap((id) => this.events.get(id)?.event.prevEvents ?? []);
          next = [...new Set(parents)].filter(
            (id) => !found.has(id) && !this.withheld.has(id) && !this.notInHistory.has(id),
          );
        }
        return [...found].map(pduOf);
      },
      timestampToEvent: async (server, { ts, dir }) => {
        this.asked.push(`timestamp_to_event ${ts} ${dir}`);
        if (this.silent.has(server)) throw new FederationError(server, 'unreachable', 'it does not answer');
        const inOrder = dir === 'f' ? this.order : this.order.toReversed();
        const found = inOrder.find(({ event: { originServerTs: at } }) => (dir === 'f' ? at >= ts : at <= ts));
        if (found === undefined) throw new FederationError(server, 'answered', 'not found', { status: 404 });
        return { eventId: found.event.eventId, originServerTs: found.event.originServerTs };
      },
    };
  }

  isHidden(eventId: EventId): boolean {
    return this.withheld.has(eventId) || this.tooOld.has(eventId);
  }

  #stateAfter(prev: readonly EventId[]): ReadonlyMap<string, EventId> {
    const [only, ...others] = prev;
    const known = only === undefined || others.length > 0 ? undefined : this.events.get(only);
    if (known !== undefined) return known.after;
    return new Map(prev.flatMap((id) => [...(this.events.get(id)?.after ?? [])]));
  }

  #authFor(draft: EventDraft, state: ReadonlyMap<string, EventId>): EventId[] {
    return authTypesForEvent({ ...draft, stateKey: draft.stateKey }, this.rules).flatMap(
      ([type, key]) => state.get(`${type}\0${key}`) ?? [],
    );
  }

  *#authChain(ids: Iterable<EventId>): Iterable<EventId> {
    const found = new Set<EventId>();
    const next = [...ids].flatMap((id) => this.events.get(id)?.event.authEvents ?? []);
    for (let id = next.pop(); id !== undefined; id = next.pop()) {
      if (found.has(id)) continue;
      found.add(id);
      yield id;
      next.push(...(this.events.get(id)?.event.authEvents ?? []));
    }
  }
}

const stateKeyOf = (event: RoomEvent): string => `${event.type}\0${event.stateKey}`;
