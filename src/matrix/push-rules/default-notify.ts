/**
 * What the default rules make of an event, for counting without asking each member's rules. A room counts what its members
 * are all notified of; only deviations are kept per user.
 */
import type { RoomEvent } from '../events/room-event.ts';
import { compilePushRules, type CompiledPushRules, type SharedOutcome } from './compile-push-rules.ts';
import { anyone, defaultPushRules } from './default-push-rules.ts';
import type { PushRoom } from './push-context.ts';
import { pushEventOf } from './push-event.ts';

/** The rules of every user who has changed nothing. */
export const defaultRules: CompiledPushRules = compilePushRules(defaultPushRules(anyone));

/**
 * Whether the default rules notify all members of the event, whoever and how many they are. What depends on the room's
 * state, that the sender may mention the whole room, is left to `defaultRulesOutcome`.
 */
export function defaultRulesNotify(event: RoomEvent): boolean {
  return defaultRules.evaluateForAnyone(pushEventOf(event), plainRoom).outcome.notify;
}

/**
 * What the default rules make of the event for all members together, with room mentions and highlights considered, and the
 * ids of users for whom `defaultRules.evaluate` may say something else.
 */
export function defaultRulesOutcome(event: RoomEvent, room: PushRoom): SharedOutcome {
  return defaultRules.evaluateForAnyone(pushEventOf(event), room);
}

/** The number of members changes the sound of a notification and not whether there is one. */
const plainRoom: PushRoom = { memberCount: 3, senderMayNotify: () => false };
