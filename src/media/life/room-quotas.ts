import { forbidden, type MatrixError } from '../../matrix/errors.ts';
import type { JsonObject } from '../../matrix/json/json-value.ts';
import { limits } from '../../platform/limits.ts';
import { Lru } from '../../platform/lru.ts';
import type { Clock } from '../../platform/ports.ts';
import type { Database } from '../../storage/database.ts';
import { bytesNewToRoom, roomUsage } from '../../storage/stores/media-reference-store.ts';
import { mayNameMedia, mediaNamedIn } from '../references/named-media.ts';

export interface RoomQuotaOptions {
  readonly db: Database;
  readonly clock: Pick<Clock, 'nowMs'>;
  /** Of all files together that a room's events name; undefined: no limit. */
  readonly roomBytesMax: number | undefined;
  /** Resolves when it is known which files the events name that are committed now. */
  readonly referencesKnown: () => Promise<boolean>;
}

/**
 * How much the files may have that the events of a room name, as far as this can be seen: not those of encrypted events, nor pictures of
 * members. To which room a file belongs is known when an event names it, so that it is the event that is refused.
 */
export class RoomQuotas {
  readonly #options: RoomQuotaOptions;
  /** What a room has at most, for a while. */
  readonly #known = new Lru<number, Known>({ sizeMax: limits.roomQuotasKnownMax });

  constructor(options: RoomQuotaOptions) {
    this.#options = options;
  }

  concerns(content: JsonObject): boolean {
    return this.#options.roomBytesMax !== undefined && mayNameMedia(content);
  }

  /** Makes room for what an event names. Rejects with 403 M_FORBIDDEN when it is too much. To be called with the room's lock held. */
  async assertRoomFor(room: number, content: JsonObject): Promise<void> {
    const { db, clock, referencesKnown, roomBytesMax = Infinity } = this.#options;
    const rows = JSON.stringify(mediaNamedIn(content).map(({ serverName, mediaId }) => [serverName, mediaId]));
    const bytes = (await db.one(bytesNewToRoom, { room, rows }))?.bytes ?? 0;
    const nowMs = clock.nowMs();
    const known = this.#known.find(room);
    if (known !== undefined && known.untilMs > nowMs && known.bytes + bytes <= roomBytesMax) {
      this.#known.set(room, { ...known, bytes: known.bytes + bytes });
      return;
    }
    // What was accepted a moment ago is perhaps still on its way to disk.
    await db.drained();
    await referencesKnown();
    const used = (await db.one(roomUsage, { room }))?.bytes ?? 0;
    const more = (await db.one(bytesNewToRoom, { room, rows }))?.bytes ?? 0;
    if (more > 0 && used + more > roomBytesMax) throw exceeded(roomBytesMax);
    this.#known.set(room, { bytes: used + more, untilMs: nowMs + limits.roomQuotaKnownMs });
  }
}

interface Known {
  readonly bytes: number;
  readonly untilMs: number;
}

const exceeded = (roomBytesMax: number): MatrixError =>
  forbidden(`The files of this room may have ${roomBytesMax} bytes together, and this would be more`);
