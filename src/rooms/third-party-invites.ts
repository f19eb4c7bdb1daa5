/**
 * Somebody who was invited by a third-party identifier has proven that it is theirs: the promise in the room becomes an invite.
 * https://spec.matrix.org/v1.19/server-server-api/#third-party-invites
 */
import { forbidden } from '../matrix/errors.ts';
import { effectiveMembership } from '../matrix/event-auth/effective-membership.ts';
import { promisedKeys } from '../matrix/event-auth/third-party-invite.ts';
import type { RoomEvent, StateTuple } from '../matrix/events/room-event.ts';
import type { RoomId, UserId } from '../matrix/ids/ids.ts';
import type { JsonObject } from '../matrix/json/json-value.ts';
import { limits } from '../platform/limits.ts';
import { EventFlag } from '../storage/event-flags.ts';
import { appendLocalEvent, changeRoom } from './append-local-event.ts';
import { type RoomsContext, serverOf } from './context.ts';
import { inviteElsewhere } from './elsewhere.ts';
import { assertMayInvite } from './may-invite.ts';
import { openRoom } from './membership.ts';
import type { KeyValidity } from './ports.ts';

export interface ThirdPartyInvite {
  readonly roomId: RoomId;
  /** Who made the promise, an `m.room.third_party_invite` event. */
  readonly sender: UserId;
  /** Who may be invited now. */
  readonly target: UserId;
  /** By an identity server: `mxid`, `token`, `signatures`. */
  readonly signed: JsonObject;
}

/**
 * For a room that somebody of ours is in. Nothing happens where the user is invited or joined already. Not to be called with the
 * room's lock held. Errors: M_FORBIDDEN (no such promise, of somebody else, badly signed, a key that is not valid any more, banned),
 * M_INVITE_BLOCKED; of a user of another server as `RemoteMemberships.signInvite`.
 */
export async function redeemThirdPartyInvite(
  ctx: RoomsContext,
  keyValidity: KeyValidity,
  { roomId, sender, target, signed }: ThirdPartyInvite,
): Promise<void> {
  const dag = await openRoom(ctx, roomId);
  const { token } = signed;
  if (typeof token !== 'string' || signed['mxid'] !== target) throw forbidden('signed is not for this user');
  const member: StateTuple = ['m.room.member', target];
  const promised: StateTuple = ['m.room.third_party_invite', token];
  const state = await dag.currentEvents([member, promised]);
  const membership = effectiveMembership(target, state);
  if (membership === 'invite' || membership === 'join') return;
  const promise = state(...promised);
  if (promise === undefined || promise.sender !== sender) throw forbidden('The room promises no such invite');
  // What the room and the caller say decides who is asked, so a key is asked about once, and few are.
  const keys = [...new Set(promisedKeys(promise, signed, dag.rules))].slice(0, limits.keyValidityQuestionsMax);
  if (keys.length === 0) throw forbidden('No key of the promised invite has signed this one');
  await assertValid(keyValidity, keys);
  const content = { membership: 'invite', third_party_invite: { ...displayNameOf(promise), signed } };
  const actor = { userId: sender, userNid: await ctx.names.userNid(sender), deviceNid: 0 };
  if (!ctx.localServers.isLocal(serverOf(target))) return inviteElsewhere(ctx, actor, roomId, target, content);
  await assertMayInvite(ctx, sender, target);
  const profile = await ctx.members.memberProfile(target);
  // Of a user of another server the signature of the identity server stands for theirs; this server sends it.
  const marks = ctx.localServers.isLocal(serverOf(sender)) ? undefined : EventFlag.sentOn;
  await changeRoom(ctx, roomId, async (opened) => {
    const draft = { type: 'm.room.member', stateKey: target, sender, content: { ...profile, ...content } };
    const { event, placed } = await appendLocalEvent(ctx, opened, draft, { marks });
    return { eventId: event.eventId, placed };
  });
}

async function assertValid(
  keyValidity: KeyValidity,
  keys: readonly { readonly publicKey: string; readonly validityUrl: string | undefined }[],
): Promise<void> {
  for (const { publicKey, validityUrl } of keys)
    if (validityUrl === undefined || (await keyValidity.isValid(validityUrl, publicKey))) return;
  throw forbidden('The key that signed the invite is not valid any more, or its identity server could not be asked');
}

function displayNameOf({ content }: RoomEvent): JsonObject {
  const { display_name: displayName } = content;
  return { display_name: typeof displayName === 'string' ? displayName : '' };
}
