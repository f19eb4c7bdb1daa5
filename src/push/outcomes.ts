/** What an event means for single users, by their push rules. https://spec.matrix.org/v1.19/client-server-api/#push-rules */
import type { RoomEvent } from '../matrix/events/room-event.ts';
import type { CompiledPushRules, SharedOutcome } from '../matrix/push-rules/compile-push-rules.ts';
import { defaultRules } from '../matrix/push-rules/default-notify.ts';
import type { PushRoom } from '../matrix/push-rules/push-context.ts';
import { type PushEvent, pushEventOf } from '../matrix/push-rules/push-event.ts';
import { noPush, type PushOutcome } from '../matrix/push-rules/push-outcome.ts';
import type { RoomsContext } from '../rooms/context.ts';
import type { RoomDag } from '../rooms/dag/contract.ts';
import { pushRoomOf } from '../rooms/mentions.ts';
import { isFollowed } from '../rooms/thread-subscriptions.ts';
import { ancestryFrom, mainThread } from '../rooms/threads.ts';
import { joinedCount } from '../storage/stores/membership-store.ts';
import type { Owner, PushRules } from './ports.ts';

export interface OutcomesContext {
  readonly rooms: RoomsContext;
  readonly pushRules: PushRules;
}

/** One event, looked at for many users: what is the same for all of them is asked once. */
export class EventOutcomes {
  readonly #ctx: OutcomesContext;
  readonly #dag: RoomDag;
  readonly #event: RoomEvent;
  readonly #pushEvent: PushEvent;
  readonly #room: PushRoom;
  #byDefault: SharedOutcome | undefined;
  #thread: string | undefined;

  private constructor(ctx: OutcomesContext, dag: RoomDag, event: RoomEvent, room: PushRoom) {
    this.#ctx = ctx;
    this.#dag = dag;
    this.#event = event;
    this.#pushEvent = pushEventOf(event);
    this.#room = room;
  }

  /** `members`: how many have joined, if that is known already. */
  static async of(ctx: OutcomesContext, dag: RoomDag, event: RoomEvent, members?: number): Promise<EventOutcomes> {
    const memberCount = members ?? (await joinedMembers(ctx.rooms, dag.room));
    return new EventOutcomes(ctx, dag, event, await pushRoomOf(dag, event, memberCount));
  }

  /** Nobody is notified of what they did themselves, or of what comes from whom they ignore. */
  async for(owner: Owner): Promise<PushOutcome> {
    const { rooms, pushRules } = this.#ctx;
    if (owner.userId === this.#event.sender) return noPush;
    if ((await rooms.ignored.of(owner)).has(this.#event.sender)) return noPush;
    if (await this.#isUnwantedInvite(owner)) return noPush;
    const custom = await pushRules.customRulesOf(owner);
    if (custom !== undefined)
      return this.#evaluate(custom, custom.evaluateForAnyone(this.#pushEvent, this.#room), owner);
    this.#byDefault ??= defaultRules.evaluateForAnyone(this.#pushEvent, this.#room);
    return this.#evaluate(defaultRules, this.#byDefault, owner);
  }

  /** https://spec.matrix.org/v1.19/client-server-api/#invite-permission */
  async #isUnwantedInvite(owner: Owner): Promise<boolean> {
    const { type, stateKey, content, sender } = this.#event;
    if (type !== 'm.room.member' || stateKey !== owner.userId || content['membership'] !== 'invite') return false;
    return (await this.#ctx.rooms.invitePermissions.of(owner)).decide(sender) !== 'allow';
  }

  async #evaluate(rules: CompiledPushRules, shared: SharedOutcome, { userId, userNid }: Owner): Promise<PushOutcome> {
    const followsThread = shared.threadDecides ? await this.#followsThread(userNid) : undefined;
    const isPersonal = shared.bodyDecides || followsThread !== undefined || shared.namedUserIds.includes(userId);
    if (!isPersonal) return shared.outcome;
    const name = (await this.#dag.currentEvent('m.room.member', userId))?.content['displayname'];
    const displayName = typeof name === 'string' ? name : undefined;
    return rules.evaluate(this.#pushEvent, this.#room, { userId, displayName, followsThread });
  }

  /** undefined: the event is in no thread. */
  async #followsThread(userNid: number): Promise<boolean | undefined> {
    const { rooms } = this.#ctx;
    const { room } = this.#dag;
    this.#thread ??= ancestryFrom(this.#event, await rooms.relations.lineageOf(room, this.#event)).threadId;
    return this.#thread === mainThread ? undefined : isFollowed(rooms.db, userNid, room, this.#thread);
  }
}

export async function joinedMembers({ db }: Pick<RoomsContext, 'db'>, room: number): Promise<number> {
  return (await db.one(joinedCount, { room }))?.members ?? 0;
}
