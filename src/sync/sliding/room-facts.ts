/** What filters ask about rooms, of the current state: shared by all who are in them, and read once until it changes. */
import { isJsonObject, type JsonObject, type JsonValue } from '../../matrix/json/json-value.ts';
import { Lru } from '../../platform/lru.ts';
import type { RoomsContext } from '../../rooms/context.ts';
import { pduOf } from '../../rooms/stored-event.ts';
import { stateRows } from '../../rooms/read-state.ts';
import type { Commit } from '../../storage/database.ts';
import { strippedState } from '../../storage/stores/membership-store.ts';
import type { RoomStanding } from '../sync-user.ts';

export interface RoomFacts {
  /** null: an ordinary room. */
  readonly type: string | null;
  readonly isEncrypted: boolean;
  readonly name: string;
}

const roomsMax = 50_000;
const spacesMax = 5_000;
const typesThatMatter = new Set(['m.room.create', 'm.room.encryption', 'm.room.name']);
const spaceChild = 'm.space.child';

export class KnownRoomFacts {
  readonly #rooms: RoomsContext;
  readonly #facts = new Lru<number, RoomFacts>({ sizeMax: roomsMax });
  /** Space → the ids of the rooms in it. */
  readonly #children = new Lru<number, ReadonlySet<string>>({ sizeMax: spacesMax });
  /** Grows with every change, so that what was read before one is not kept after it. */
  #version = 0;
  /** Told of rooms whose facts changed; `children`: of a space whose rooms changed. */
  onChanged: (room: number, what: 'facts' | 'children') => void = () => {};

  constructor(rooms: RoomsContext) {
    this.#rooms = rooms;
  }

  /** To be called for every commit, in order. */
  onCommit({ wakes }: Commit): void {
    for (const wake of wakes) {
      if (wake.kind === 'rejudged') this.#changed(wake.room, true, true);
      if (wake.kind !== 'event') continue;
      const { type, stateKey } = wake.event;
      if (stateKey === undefined && !wake.otherStateChanged) continue;
      this.#changed(
        wake.room,
        wake.otherStateChanged || typesThatMatter.has(type),
        wake.otherStateChanged || type === spaceChild,
      );
    }
  }

  /** Of a room that somebody is invited to, what they were shown of it. */
  async of(userNid: number, { room, membership }: RoomStanding): Promise<RoomFacts> {
    if (membership === 'invite' || membership === 'knock') return this.#shown(userNid, room);
    const known = this.#facts.find(room);
    if (known !== undefined) return known;
    const version = this.#version;
    const dag = await this.#rooms.dags.openByNid(room);
    const facts = factsOf(async (type) => (await dag.currentEvent(type, ''))?.content);
    const found = await facts;
    if (version === this.#version) this.#facts.set(room, found);
    return found;
  }

  /** The rooms that a space names as being in it. */
  async childrenOf(space: number): Promise<ReadonlySet<string>> {
    const known = this.#children.find(space);
    if (known !== undefined) return known;
    const version = this.#version;
    const dag = await this.#rooms.dags.openByNid(space);
    const children = new Set<string>();
    for (const row of await stateRows(this.#rooms, dag, this.#rooms.db.committedPos(), { type: spaceChild })) {
      const { content, state_key: roomId } = pduOf(row);
      if (typeof roomId === 'string' && isJsonObject(content) && Array.isArray(content['via'])) children.add(roomId);
    }
    if (version === this.#version) this.#children.set(space, children);
    return children;
  }

  #changed(room: number, facts: boolean, children: boolean): void {
    if (!facts && !children) return;
    this.#version++;
    if (facts) {
      this.#facts.delete(room);
      this.onChanged(room, 'facts');
    }
    if (children) {
      this.#children.delete(room);
      this.onChanged(room, 'children');
    }
  }

  async #shown(user: number, room: number): Promise<RoomFacts> {
    const row = await this.#rooms.db.one(strippedState, { user, room });
    const events = JSON.parse(row?.json ?? '[]') as readonly JsonObject[];
    return factsOf(async (type) => events.find((event) => event['type'] === type)?.['content']);
  }
}

async function factsOf(contentOf: (type: string) => Promise<JsonValue | undefined>): Promise<RoomFacts> {
  const text = (content: JsonValue | undefined, field: string): string | undefined => {
    const value = isJsonObject(content) ? content[field] : undefined;
    return typeof value === 'string' ? value : undefined;
  };
  return {
    type: text(await contentOf('m.room.create'), 'type') ?? null,
    isEncrypted: (await contentOf('m.room.encryption')) !== undefined,
    name: text(await contentOf('m.room.name'), 'name') ?? '',
  };
}
