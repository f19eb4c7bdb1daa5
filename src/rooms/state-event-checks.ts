/** What a client may not set through the state endpoint although the authorisation rules would let it. */
import { badJson, invalidParam } from '../matrix/errors.ts';
import { creatorsOf } from '../matrix/event-auth/creators.ts';
import { ownerOfState } from '../matrix/event-auth/owned-state.ts';
import { isJsonObject, type JsonObject } from '../matrix/json/json-value.ts';
import { aliasByName } from '../storage/stores/room-directory-store.ts';
import { badAlias, newAliasesIn } from './canonical-alias.ts';
import { type Actor, type RoomsContext, serverOf } from './context.ts';
import type { RoomDag } from './dag/contract.ts';
import { assertKeepsEncryption, encryptionType } from './encryption-policy.ts';
import { checkServerAcl } from './server-acl-checks.ts';

interface StateToCheck {
  readonly type: string;
  readonly stateKey: string;
  readonly content: JsonObject;
}

/**
 * Errors: M_INVALID_PARAM for a second create event and for what is no alias, M_BAD_ALIAS for aliases that do not lead here;
 * M_INVALID_PARAM for power levels that name a creator where these have powers of their own; M_BAD_JSON for a state key that should name its owner and does not; M_FORBIDDEN for the end of encryption; as `checkServerAcl`.
 */
export async function checkStateEvent(
  ctx: RoomsContext,
  dag: RoomDag,
  { userId }: Actor,
  state: StateToCheck,
): Promise<void> {
  if (state.type === 'm.room.create') throw invalidParam('A room has one create event, and the server makes it');
  const isOwned = dag.rules.eventAuth.ownedState && state.type !== 'm.room.member' && state.stateKey.startsWith('@');
  if (isOwned && ownerOfState(state.stateKey) === undefined)
    throw badJson('A state key that starts with @ begins with a user ID, and _ before what follows');
  if (state.type === 'm.room.power_levels' && state.stateKey === '') await assertNoCreator(dag, state.content);
  if (state.type === 'm.room.server_acl' && state.stateKey === '') checkServerAcl(state.content, serverOf(userId));
  if (state.type === encryptionType && state.stateKey === '') await assertKeepsEncryption(dag, state.content);
  if (state.type === 'm.room.canonical_alias' && state.stateKey === '') await checkAliases(ctx, dag, state.content);
}

/** That a creator cannot be named is no matter of power: whoever sends it, it is refused. */
async function assertNoCreator(dag: RoomDag, { users }: JsonObject): Promise<void> {
  if (!dag.rules.eventAuth.privilegedCreators || !isJsonObject(users)) return;
  const create = await dag.currentEvent('m.room.create', '');
  const creators = create === undefined ? [] : creatorsOf(create, dag.rules);
  if (creators.some((creator) => Object.hasOwn(users, creator)))
    throw invalidParam('Creators of the room have all power, and are not named in users');
}

/**
 * Aliases that were named before may stay even if they lead nowhere by now; new ones must lead to this room.
 * https://spec.matrix.org/v1.19/client-server-api/#put_matrixclientv3roomsroomidstateeventtypestatekey
 */
async function checkAliases(ctx: RoomsContext, dag: RoomDag, content: JsonObject): Promise<void> {
  const before = (await dag.currentEvent('m.room.canonical_alias', ''))?.content ?? {};
  for (const alias of newAliasesIn(content, before)) {
    const row = await ctx.db.one(aliasByName, { alias });
    if (row?.room !== dag.room) throw badAlias(alias);
  }
}
