/** A room as a hostile server sees it: what it was told, and what it makes of it. */
import type { SigningKey } from '../../../src/matrix/crypto/ed25519.ts';
import { finishEvent } from '../../../src/matrix/crypto/finish-event.ts';
import { referenceHash } from '../../../src/matrix/crypto/reference-hash.ts';
import { authTypesForEvent } from '../../../src/matrix/event-auth/auth-types.ts';
import { roomEventFromPdu } from '../../../src/matrix/events/room-event-from-pdu.ts';
import type { RoomEvent } from '../../../src/matrix/events/room-event.ts';
import type { EventId, ServerName, UserId } from '../../../src/matrix/ids/ids.ts';
import type { JsonObject } from '../../../src/matrix/json/json-value.ts';
import type { RoomVersionRules } from '../../../src/matrix/room-versions/rules.ts';
import { eventTemplate } from '../../../src/rooms/build-event.ts';

export interface KnownEvent {
  readonly event: RoomEvent;
  readonly pdu: JsonObject;
}
export interface HostileDraft {
  readonly type: string;
  readonly content: JsonObject;
  readonly stateKey?: string;
  readonly sender?: string;
  /** Absent: what came last. */
  readonly prev?: readonly string[];
  /** Absent: what it should cite. */
  readonly auth?: readonly string[];
  readonly depth?: number;
  readonly ts?: number;
  readonly key?: SigningKey;
  /** Where events carry their own. */
  readonly eventId?: string;
}

export class HostileRoom {
  readonly roomId: string;
  readonly rules: RoomVersionRules;
  readonly user: string;
  readonly events = new Map<string, KnownEvent>();
  /** The newest that came, by type and key: it cares for no resolution. */
  readonly state = new Map<string, string>();
  readonly #name: string;
  readonly #key: SigningKey;
  readonly #nowMs: () => number;
  #tip: string;
  #count = 0;

  constructor(
    own: { readonly name: string; readonly user: string; readonly key: SigningKey; readonly nowMs: () => number },
    room: { readonly roomId: string; readonly rules: RoomVersionRules; readonly tip: string },
  ) {
    this.roomId = room.roomId;
    this.rules = room.rules;
    this.user = own.user;
    this.#name = own.name;
    this.#key = own.key;
    this.#nowMs = own.nowMs;
    this.#tip = room.tip;
  }

  get tip(): string {
    return this.#tip;
  }

  /** Something that was told; `isTip`: nothing is known to come after it. */
  learn(pdu: JsonObject, isTip: boolean): void {
    const event = roomEventFromPdu(pdu, this.rules);
    this.events.set(event.eventId, { event, pdu });
    if (isTip) this.#tip = event.eventId;
    if (event.stateKey !== undefined) this.state.set(keyOf(event), event.eventId);
  }

  /** A new event; `isKept` false: its server goes on as if there were none. */
  make(draft: HostileDraft, isKept = true): KnownEvent {
    const sender = (draft.sender ?? this.user) as UserId;
    const prev = draft.prev ?? [this.#tip];
    const auth = draft.auth ?? this.#authFor(draft, sender);
    const depths = prev.map((id) => this.events.get(id)?.event.depth ?? 1);
    const place = {
      roomId: this.roomId as RoomEvent['roomId'],
      rules: this.rules,
      prevEvents: prev.map((id) => this.#reference(id)),
      authEvents: auth.map((id) => this.#reference(id)),
      depth: draft.depth ?? Math.max(...depths, 0) + 1,
      originServerTs: draft.ts ?? this.#nowMs(),
    };
    const { type, content, stateKey } = draft;
    const template = eventTemplate({ type, content, sender, ...(stateKey === undefined ? {} : { stateKey }) }, place);
    if (this.rules.eventFormat.eventIdField) {
      template['event_id'] = draft.eventId ?? `$h${this.#count++}:${this.#name}`;
      template['origin'] = this.#name;
    }
    const { event } = finishEvent(template as JsonObject, this.rules, this.#name as ServerName, draft.key ?? this.#key);
    const known = { event, pdu: event.pdu };
    this.events.set(event.eventId, known);
    if (!isKept) return known;
    this.#tip = event.eventId;
    if (event.stateKey !== undefined) this.state.set(keyOf(event), event.eventId);
    return known;
  }

  pdus(ids: Iterable<string>): JsonObject[] {
    const found: JsonObject[] = [];
    for (const id of ids) {
      const known = this.events.get(id);
      if (known !== undefined) found.push(known.pdu);
    }
    return found;
  }

  /** Everything that the events cite, and what that cites. */
  authChain(ids: Iterable<string>): string[] {
    const found = new Set<string>();
    const next = [...ids].flatMap((id) => this.events.get(id)?.event.authEvents ?? []);
    for (let id = next.pop(); id !== undefined; id = next.pop()) {
      if (found.has(id)) continue;
      found.add(id);
      next.push(...(this.events.get(id)?.event.authEvents ?? []));
    }
    return [...found];
  }

  #authFor(draft: HostileDraft, sender: UserId): string[] {
    const { type, content, stateKey } = draft;
    return authTypesForEvent({ type, content, sender, stateKey }, this.rules).flatMap(
      ([wanted, key]) => this.state.get(`${wanted}\0${key}`) ?? [],
    );
  }

  /** Of an event that is not known, something that looks like one. */
  #reference(id: string): { readonly eventId: EventId; readonly hash: string } {
    const known = this.events.get(id);
    const hash = known === undefined ? 'A'.repeat(43) : referenceHash(known.pdu, this.rules);
    return { eventId: id as EventId, hash };
  }
}

const keyOf = (event: RoomEvent): string => `${event.type}\0${event.stateKey}`;
