import { MatrixError } from '../matrix/errors.ts';
import type { UserId } from '../matrix/ids/ids.ts';
import { type GuestInRoom, guestsIn, roomsWithGuests } from '../storage/stores/guest-store.ts';
import { leaveRoom } from './change-membership.ts';
import type { RoomsContext } from './context.ts';
import type { RoomDag } from './dag/contract.ts';
import { letsGuestsIn } from './guest-access.ts';

/** Makes the guests of this server leave the rooms that are closed to them. https://spec.matrix.org/v1.19/client-server-api/#guest-access */
export class GuestDepartures {
  readonly #ctx: RoomsContext;
  readonly #onFailed: (error: unknown) => void;
  readonly #stopListening: () => void;
  /** One room after the other; resolves when everybody has left who has to. */
  #done: Promise<void> = Promise.resolve();

  constructor(ctx: RoomsContext, onFailed: (error: unknown) => void) {
    this.#ctx = ctx;
    this.#onFailed = onFailed;
    this.#stopListening = ctx.db.onCommitted(({ wakes }) => {
      for (const wake of wakes) if (wake.kind === 'guest-access') this.#empty(wake.room);
    });
  }

  /** What a crash between the change of a room and the departures left undone. */
  async resume(): Promise<void> {
    for (const { room } of await this.#ctx.db.all(roomsWithGuests, {})) await this.#emptyNow(room);
  }

  close(): void {
    this.#stopListening();
  }

  #empty(room: number): void {
    this.#done = this.#done.then(() => this.#emptyNow(room)).catch(this.#onFailed);
  }

  async #emptyNow(room: number): Promise<void> {
    const dag = await this.#ctx.dags.openByNid(room);
    if (await letsGuestsIn(dag)) return;
    for (const guest of await this.#ctx.db.all(guestsIn, { room })) await this.#leave(dag, guest);
  }

  async #leave({ roomId }: RoomDag, { user_nid: userNid, user_id: userId }: GuestInRoom): Promise<void> {
    const guest = { userId: userId as UserId, userNid, deviceNid: 0 };
    try {
      await leaveRoom(this.#ctx, guest, { roomId, reason: 'Guests are no longer let in', isDeparture: true });
    } catch (error) {
      // One who is kicked or banned at the same moment is out, too.
      if (!(error instanceof MatrixError)) throw error;
    }
  }
}
