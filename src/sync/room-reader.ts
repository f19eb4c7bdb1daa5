/** What one reader may see of one room, found out at most once per pass. */
import type { UserId } from '../matrix/ids/ids.ts';
import type { RoomsContext } from '../rooms/context.ts';
import { type Authorship, type IsErased, erasedFor } from '../rooms/erasure.ts';
import { type VisibilityTimeline, isVisible } from '../rooms/history-visibility.ts';
import { loadVisibility } from '../rooms/visibility.ts';
import type { EventFragment, FragmentReader } from './event-fragments.ts';

export class RoomReader implements FragmentReader {
  readonly userId: UserId;
  readonly #rooms: RoomsContext;
  readonly #room: number;
  readonly #joinedSince: number;
  #visibility: Promise<VisibilityTimeline> | undefined;

  /** `joinedSince`: from that position on the reader was joined without a break, and sees everything; Infinity: is not joined. */
  constructor(rooms: RoomsContext, room: number, userId: UserId, joinedSince: number) {
    this.#rooms = rooms;
    this.#room = room;
    this.userId = userId;
    this.#joinedSince = joinedSince;
  }

  /** It was found out already. */
  knows(visibility: VisibilityTimeline): void {
    this.#visibility = Promise.resolve(visibility);
  }

  visibility(): Promise<VisibilityTimeline> {
    this.#visibility ??= loadVisibility(this.#rooms, this.#room, this.userId);
    return this.#visibility;
  }

  /** Looks up nothing where nobody was erased, or the reader had joined before and has been there ever since. */
  async erasedAmong(fragments: readonly EventFragment[]): Promise<IsErased | undefined> {
    const isDoubtful = ({ sender, pos }: Authorship): boolean => {
      const since = this.#rooms.erasures.erasedSince(sender);
      return since !== undefined && !(this.#joinedSince <= since && pos !== null && pos >= this.#joinedSince);
    };
    if (!fragments.some(({ authors }) => authors.some(isDoubtful))) return undefined;
    return erasedFor(this.#rooms, await this.visibility());
  }

  /** Whether the reader may see what each of the events replaced in the state. */
  async previousSeen(fragments: readonly EventFragment[]): Promise<(fragment: EventFragment) => boolean> {
    const isSeen = (pos: number | undefined): boolean => pos === undefined || pos >= this.#joinedSince;
    if (fragments.every((fragment) => isSeen(fragment.previousPos))) return () => true;
    const visibility = await this.visibility();
    return ({ previousPos }) => isSeen(previousPos) || isVisible(visibility, previousPos ?? 0);
  }
}
