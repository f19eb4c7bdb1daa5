/**
 * The middle of a local event's journey: load the frontier, build, authorise, sign, persist.
 * Everything that a user of this server does to a room's events comes through here.
 */
import { forbidden } from '../matrix/errors.ts';
import { authTypesForEvent, stateForAuthRules } from '../matrix/event-auth/auth-types.ts';
import { checkStateDependentAuthRules } from '../matrix/event-auth/state-dependent.ts';
import type { RoomEvent, StateLookup } from '../matrix/events/room-event.ts';
import type { EventId, RoomId, UserId } from '../matrix/ids/ids.ts';
import { isUserId } from '../matrix/ids/user-id.ts';
import {
  type BuiltEvent,
  type EventDraft,
  type EventPlace,
  type Reference,
  type Signers,
  buildEvent,
  eventTemplate,
} from './build-event.ts';
import type { JsonObject } from '../matrix/json/json-value.ts';
import { assertSendable } from './check-drafts.ts';
import { type ClientTransaction, type RoomsContext, randomOpaqueId, serverOf, signerFor } from './context.ts';
import type { Placed, RoomDag } from './dag/contract.ts';
import { prepareEffects } from './event-effects.ts';
import type { UnitBuilder } from '../storage/database.ts';
import { openRoom } from './membership.ts';
import { sendOut, targetServerOf } from './outgoing-event.ts';
import { signedByPolicyServer } from './policy-servers.ts';
import { referenceHashOf } from './stored-event.ts';
import { isOwnJoin, settingsToCarry } from './upgrade/carried-settings.ts';

export interface Appended {
  readonly event: RoomEvent;
  readonly placed: Placed;
}
export interface AppendOptions {
  readonly transaction?: ClientTransaction | undefined;
  readonly isAutomatic?: boolean;
  /** Milliseconds since the Unix epoch; absent: now. */
  readonly originServerTs?: number | undefined;
  /** Further bits of `event.flags`. */
  readonly marks?: number | undefined;
  /** Further statements of the event's unit. */
  readonly also?: ((unit: UnitBuilder, placed: Placed, eventId: EventId) => void) | undefined;
}

/**
 * To be called with the room's lock held. The event is on disk when `placed.ticket.committed` resolves; the lock may be
 * given back before.
 * Throws MatrixError: M_FORBIDDEN when the authorisation rules refuse it, M_TOO_LARGE, M_BAD_JSON.
 */
export async function appendLocalEvent(
  ctx: RoomsContext,
  dag: RoomDag,
  draft: EventDraft,
  options: AppendOptions = {},
): Promise<Appended> {
  assertSendable(draft);
  const carried = isOwnJoin(draft) ? await settingsToCarry(ctx, dag, draft.sender) : undefined;
  if (carried === undefined) return append(ctx, dag, draft, options);
  let appended: Appended | undefined;
  await ctx.members.withCopiedSettings(carried.user, carried.from, dag, async (writeSettings) => {
    appended = await append(ctx, dag, draft, { ...options, also: both(writeSettings, options.also) });
    await appended.placed.ticket?.committed;
  });
  if (appended === undefined) throw new Error('what was to be done with the settings was not done');
  return appended;
}

/** The same for a room that is being made, whose maker sees to what is carried there. It is on disk with the room. */
export async function appendFirstEvent(
  ctx: RoomsContext,
  dag: RoomDag,
  draft: EventDraft,
  options: AppendOptions,
): Promise<void> {
  assertSendable(draft);
  await append(ctx, dag, draft, options);
}

/**
 * A local event that is not appended yet, because another server has to sign it, too. To be called with the room's lock held.
 * Throws MatrixError: M_FORBIDDEN when the authorisation rules refuse it, M_TOO_LARGE, M_BAD_JSON.
 */
export async function draftLocalEvent(ctx: RoomsContext, dag: RoomDag, draft: EventDraft): Promise<BuiltEvent> {
  assertSendable(draft);
  const built = await build(ctx, dag, draft, ctx.clock.nowMs());
  const state = await dag.currentEvents(stateForAuthRules(built.event, dag.rules));
  const verdict = checkStateDependentAuthRules(built.event, state, dag.rules);
  if (!verdict.ok) throw forbidden(verdict.reason);
  return signedByPolicyServer(ctx, dag, built);
}

/**
 * The room's next event as somebody else is to sign it: a user of another server. To be called with the room's lock held; whether
 * the rules allow it is not looked at.
 */
export async function nextEvent(ctx: RoomsContext, dag: RoomDag, draft: EventDraft): Promise<JsonObject> {
  return eventTemplate(draft, await placeOfNext(ctx, dag, draft, ctx.clock.nowMs()));
}

async function build(ctx: RoomsContext, dag: RoomDag, draft: EventDraft, originServerTs: number): Promise<BuiltEvent> {
  const place = await placeOfNext(ctx, dag, draft, originServerTs);
  return buildEvent(draft, place, signersOf(ctx, draft), () => randomOpaqueId(ctx.random));
}

async function placeOfNext(
  ctx: RoomsContext,
  dag: RoomDag,
  draft: EventDraft,
  originServerTs: number,
): Promise<EventPlace> {
  const tuples = authTypesForEvent({ ...draft, stateKey: draft.stateKey }, dag.rules);
  const state = await dag.currentEvents(tuples);
  const frontier = dag.frontier();
  return {
    roomId: dag.roomId,
    rules: dag.rules,
    prevEvents: await references(ctx, dag, frontier.prevEvents),
    authEvents: await references(ctx, dag, authEventsFrom(state, tuples)),
    depth: frontier.depth,
    originServerTs,
  };
}

async function append(ctx: RoomsContext, dag: RoomDag, draft: EventDraft, options: AppendOptions): Promise<Appended> {
  const unsigned = await build(ctx, dag, draft, options.originServerTs ?? ctx.clock.nowMs());
  const built = await signedByPolicyServer(ctx, dag, unsigned);
  const effects = await prepareEffects(ctx, dag, built.event, options);
  const told = { ...built, targetServerNid: await targetServerOf(ctx, built.event) };
  const placed = await dag.receive(built.event, built.body, {
    local: true,
    ...(options.marks === undefined ? {} : { marks: options.marks }),
    ...effects.options,
    also(unit, place) {
      sendOut(unit, place, told);
      effects.options.also(unit, place);
      options.also?.(unit, place, built.event.eventId);
    },
  });
  if (!placed.verdict.ok) throw forbidden(placed.verdict.reason);
  effects.handedIn(placed);
  return { event: built.event, placed };
}

function both<Rest extends readonly unknown[]>(
  first: UnitPart<readonly []>,
  second: UnitPart<Rest> | undefined,
): UnitPart<Rest> {
  return (unit, placed, ...rest) => {
    first(unit, placed);
    second?.(unit, placed, ...rest);
  };
}
type UnitPart<Rest extends readonly unknown[]> = (unit: UnitBuilder, placed: Placed, ...rest: Rest) => void;

/** An event that was appended, or one that is there already and says the same. */
export interface Done {
  readonly eventId: EventId | undefined;
  /** undefined: nothing had to be written. */
  readonly placed: Placed | undefined;
}

/**
 * Opens a room and runs `work` with its lock. What it wrote is on disk when this resolves; so is what it relied on when
 * there was nothing to write. Throws M_FORBIDDEN for an unknown room.
 */
export async function changeRoom(
  ctx: RoomsContext,
  roomId: RoomId,
  work: (dag: RoomDag) => Promise<Done>,
): Promise<EventId | undefined> {
  const { dag, done } = await ctx.locks.run(roomId, async () => {
    const opened = await openRoom(ctx, roomId);
    return { dag: opened, done: await work(opened) };
  });
  if (done.placed?.ticket !== undefined) await done.placed.ticket.committed;
  else await onDisk(ctx, dag);
  return done.eventId;
}

/** Throws UnitFailed when something that the room was changed by in memory could not be stored. */
async function onDisk(ctx: RoomsContext, dag: RoomDag): Promise<void> {
  await ctx.db.drained();
  dag.frontier();
}

function authEventsFrom(state: StateLookup, tuples: readonly (readonly [string, string])[]): RoomEvent[] {
  return tuples.flatMap(([type, stateKey]) => state(type, stateKey) ?? []);
}

/** The sender's server, and of a restricted join that of the member who lets them in: another name of ours, or the same. */
function signersOf(ctx: RoomsContext, draft: EventDraft): Signers {
  const signer = signerFor(ctx, isBrought(ctx, draft) ? (draft.stateKey as UserId) : draft.sender);
  const { join_authorised_via_users_server: via } = draft.content;
  if (draft.type !== 'm.room.member' || !isUserId(via) || serverOf(via) === signer.serverName) return [signer];
  return [signer, signerFor(ctx, via)];
}

/**
 * A third-party invite by a user of another server, which the server of the invited brings into the room: the identity server's
 * signature stands for the sender's. https://spec.matrix.org/v1.19/server-server-api/#third-party-invites
 */
function isBrought({ localServers }: RoomsContext, { type, sender, content }: EventDraft): boolean {
  return (
    type === 'm.room.member' && Object.hasOwn(content, 'third_party_invite') && !localServers.isLocal(serverOf(sender))
  );
}

/** Room versions 1 and 2 name the reference hash beside each event id. */
async function references(
  ctx: RoomsContext,
  dag: RoomDag,
  events: readonly { readonly eventId: RoomEvent['eventId'] }[],
): Promise<readonly Reference[]> {
  if (dag.rules.referenceFormat === 'id') return events;
  return Promise.all(events.map(async ({ eventId }) => ({ eventId, hash: await referenceHashOf(ctx, dag, eventId) })));
}
