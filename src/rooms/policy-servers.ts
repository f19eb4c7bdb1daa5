/**
 * Rooms whose events are checked by a policy server before they are sent. https://spec.matrix.org/v1.19/server-server-api/#policy-servers
 * Of a room without one nothing more is looked up than the current `m.room.policy`, which is in memory like the rest of its state.
 */
import { MatrixError, forbidden } from '../matrix/errors.ts';
import { type VerifyKey, verifyKeyFromBase64 } from '../matrix/crypto/ed25519.ts';
import { signableEventText } from '../matrix/crypto/reference-hash.ts';
import { stateForAuthRules } from '../matrix/event-auth/auth-types.ts';
import { checkStateDependentAuthRules } from '../matrix/event-auth/state-dependent.ts';
import { checkEventSize } from '../matrix/events/check-pdu-format.ts';
import type { RoomEvent } from '../matrix/events/room-event.ts';
import type { ServerName } from '../matrix/ids/ids.ts';
import { isServerName } from '../matrix/ids/server-name.ts';
import { canonicalJsonOf } from '../matrix/json/canonical-json.ts';
import { isJsonObject } from '../matrix/json/json-value.ts';
import { addSignature, verifySignedText } from '../matrix/json/signed-json.ts';
import type { RoomVersionRules } from '../matrix/room-versions/rules.ts';
import { limits } from '../platform/limits.ts';
import { serverJoinedIn } from '../storage/stores/room-server-store.ts';
import { type RoomsContext, serverOf } from './context.ts';
import type { RoomDag } from './dag/contract.ts';
import type { CheckedEvent } from './receive-event.ts';

interface PolicyServer {
  readonly server: ServerName;
  /** undefined: the room names none that can be used, so that no signature is good. */
  readonly key: VerifyKey | undefined;
}

/** `ed25519` of `public_keys` signs under this id always. */
const policyKeyId = 'ed25519:policy_server';

/**
 * A local event with the signature of the room's policy server, where the room has one and the event needs it. To be called with the
 * room's lock held. Whoever leaves does so whatever the policy server says, without its signature.
 * Errors: M_FORBIDDEN by the authorisation rules; what the policy server says, word for word; 502 M_UNKNOWN when it cannot be asked.
 */
export async function signedByPolicyServer<Event extends CheckedEvent>(
  ctx: RoomsContext,
  dag: RoomDag,
  checked: Event,
): Promise<Event> {
  const { event } = checked;
  const policy = await policyServerOf(ctx, dag, event);
  if (policy === undefined || isSigned(policy, event, dag.rules)) return checked;
  const state = await dag.currentEvents(stateForAuthRules(event, dag.rules));
  const verdict = checkStateDependentAuthRules(event, state, dag.rules);
  if (!verdict.ok) throw forbidden(verdict.reason);
  try {
    return await askToSign(ctx, policy, checked, dag.rules);
  } catch (error) {
    if (error instanceof MatrixError && isOwnLeave(event)) return checked;
    throw error;
  }
}

/** Another server's event, with the policy server's signature if it had to be asked for, and whether it is denied. */
export interface Policed {
  readonly checked: CheckedEvent;
  readonly denies: boolean;
}

/** To be called with the room's lock held. */
export async function policed(ctx: RoomsContext, dag: RoomDag, checked: CheckedEvent): Promise<Policed> {
  const policy = await policyServerOf(ctx, dag, checked.event);
  if (policy === undefined || isSigned(policy, checked.event, dag.rules)) return { checked, denies: false };
  try {
    return { checked: await askToSign(ctx, policy, checked, dag.rules), denies: false };
  } catch (error) {
    if (error instanceof MatrixError) return { checked, denies: true };
    throw error;
  }
}

/**
 * Asks for what several events lack, some at once, so that nobody waits for it with the room's lock: what is answered is remembered
 * for a while. Not to be called with the lock held.
 */
export async function askForPolicySignatures(
  ctx: RoomsContext,
  dag: RoomDag,
  events: readonly CheckedEvent[],
): Promise<void> {
  if ((await dag.currentEvent('m.room.policy', '')) === undefined) return;
  const waiting = [...events];
  const worker = async (): Promise<void> => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) await policed(ctx, dag, next);
  };
  await Promise.all(Array.from({ length: Math.min(waiting.length, limits.policyQuestionsAtOnceMax) }, worker));
}

/** undefined: the room has none, or it is not asked about this event. This server is none. */
async function policyServerOf(ctx: RoomsContext, dag: RoomDag, event: RoomEvent): Promise<PolicyServer | undefined> {
  const policy = await dag.currentEvent('m.room.policy', '');
  if (policy === undefined || (event.type === 'm.room.policy' && event.stateKey === '')) return undefined;
  const { via, public_keys: keys } = policy.content;
  const publicKey = isJsonObject(keys) ? keys['ed25519'] : undefined;
  if (!isServerName(via) || typeof publicKey !== 'string' || ctx.localServers.isLocal(via)) return undefined;
  const nid = await ctx.names.findServerNid(via);
  if (nid === undefined) return undefined;
  const joined = await ctx.db.one(serverJoinedIn, { room: dag.room, servers: [nid] });
  return joined && { server: via, key: verifyKeyFromBase64(publicKey) };
}

function isSigned({ server, key }: PolicyServer, { pdu }: RoomEvent, rules: RoomVersionRules): boolean {
  const signatures = isJsonObject(pdu['signatures']) ? pdu['signatures'] : {};
  // Most events come with it or without any; the text to verify is made only where there is something to verify.
  const own = Object.hasOwn(signatures, server) ? signatures[server] : undefined;
  if (key === undefined || !isJsonObject(own) || own[policyKeyId] === undefined) return false;
  const findKey = (keyId: string): VerifyKey | undefined => (keyId === policyKeyId ? key : undefined);
  return verifySignedText(signableEventText(pdu, rules), signatures, server, findKey).ok;
}

async function askToSign<Event extends CheckedEvent>(
  ctx: RoomsContext,
  policy: PolicyServer,
  checked: Event,
  rules: RoomVersionRules,
): Promise<Event> {
  const { event } = checked;
  const sender = serverOf(event.sender);
  const origin = ctx.localServers.isLocal(sender) ? sender : ctx.localServers.main;
  const signature = await ctx.policyServers.sign({ server: policy.server, origin, event });
  const pdu = addSignature(event.pdu, policy.server, policyKeyId, signature);
  const signed = { ...event, pdu };
  if (!isSigned(policy, signed, rules))
    throw new MatrixError(502, 'M_UNKNOWN', `${policy.server} did not sign with the key that the room names for it`);
  const body = canonicalJsonOf(rules)(pdu);
  if (!checkEventSize(body).ok) throw new MatrixError(413, 'M_TOO_LARGE', 'The event is too large to be signed');
  return { ...checked, event: signed, body };
}

/** Nobody can be kept in a room. */
function isOwnLeave({ type, sender, stateKey, content }: RoomEvent): boolean {
  return type === 'm.room.member' && sender === stateKey && content['membership'] === 'leave';
}
