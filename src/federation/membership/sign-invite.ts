/** Invites of users of other servers, whose servers sign them. https://spec.matrix.org/v1.19/server-server-api/#inviting-to-a-room */
import { checkEventSize } from '../../matrix/events/check-pdu-format.ts';
import { signableEventText } from '../../matrix/crypto/reference-hash.ts';
import type { ServerName, UserId } from '../../matrix/ids/ids.ts';
import { canonicalJsonOf } from '../../matrix/json/canonical-json.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../../matrix/json/json-value.ts';
import { federationJsonDepthMax, parseJson } from '../../matrix/json/parse-json.ts';
import { isRawNumber } from '../../matrix/json/raw-number.ts';
import { signingKeyIds, verifySignedText } from '../../matrix/json/signed-json.ts';
import { limits } from '../../platform/limits.ts';
import { serverOf } from '../../rooms/context.ts';
import type { SignedInvite, UnsignedInvite } from '../../rooms/ports.ts';
import { FederationError } from '../federation-error.ts';
import { federationPath } from '../federation-path.ts';
import type { MembershipContext } from './context.ts';
import { toldFailure } from './try-servers.ts';

type Context = Pick<MembershipContext, 'client' | 'keys'>;

/** Throws MatrixError: what the other server refuses it with, else 502 M_UNKNOWN. */
export async function signInvite(ctx: Context, invite: UnsignedInvite): Promise<SignedInvite> {
  try {
    const server = serverOf(invite.event.stateKey as UserId);
    const answered = await ask(ctx, server, invite);
    return await withSignature(ctx, server, invite, answered);
  } catch (error) {
    if (error instanceof FederationError) throw toldFailure([error]);
    throw error;
  }
}

/** Gives the event as the other server answers it. */
async function ask(ctx: Context, destination: ServerName, invite: UnsignedInvite): Promise<JsonValue | undefined> {
  const { event, rules, roomState } = invite;
  const { roomId, eventId, pdu } = event;
  const common = {
    destination,
    origin: serverOf(event.sender),
    method: 'PUT',
    timeoutMs: limits.sendMembershipTimeoutMs,
    isUrgent: true,
  } as const;
  try {
    const answer = await ctx.client.request({
      ...common,
      path: federationPath`/_matrix/federation/v2/invite/${roomId}/${eventId}`,
      content: { room_version: rules.version, event: pdu, invite_room_state: roomState },
    });
    return answer['event'];
  } catch (error) {
    if (!isOld(error) || rules.referenceFormat === 'id') throw error;
  }
  const { body } = await ctx.client.requestBytes({
    ...common,
    path: federationPath`/_matrix/federation/v1/invite/${roomId}/${eventId}`,
    content: { ...pdu, unsigned: { invite_room_state: roomState } },
  });
  return eventInFirstVersion(body);
}

/** `[200, {"event": …}]` */
function eventInFirstVersion(body: Buffer): JsonValue | undefined {
  try {
    const answer = parseJson(body, { numbers: 'exact', depthMax: federationJsonDepthMax });
    const container = Array.isArray(answer) ? (answer as readonly JsonValue[])[1] : undefined;
    return isJsonObject(container) ? container['event'] : undefined;
  } catch {
    // What cannot be read is no event.
    return undefined;
  }
}

/** The other server may know the first version of this request only, which is for the first two room versions. */
function isOld(error: unknown): boolean {
  return error instanceof FederationError && (error.status === 400 || error.status === 404);
}

/** Of the answer only the signatures of the server that was asked are taken. */
async function withSignature(
  ctx: Context,
  server: ServerName,
  { event, rules }: UnsignedInvite,
  answered: JsonValue | undefined,
): Promise<SignedInvite> {
  const signatures = isJsonObject(answered) && !isRawNumber(answered) ? answered['signatures'] : undefined;
  const own = isJsonObject(signatures) ? signatures[server] : undefined;
  if (!isJsonObject(own)) throw unsigned(server);
  const pdu: JsonObject = { ...event.pdu, signatures: { ...(event.pdu['signatures'] as JsonObject), [server]: own } };
  const validAtTs = rules.enforceKeyValidity ? event.originServerTs : undefined;
  const keyIds = signingKeyIds(pdu, server);
  const findKey = await ctx.keys.find(keyIds.map((keyId) => ({ serverName: server, keyId, validAtTs })));
  const verdict = verifySignedText(signableEventText(pdu, rules), pdu['signatures'], server, (keyId) =>
    findKey(server, keyId),
  );
  if (!verdict.ok) throw unsigned(server);
  const body = canonicalJsonOf(rules)(pdu);
  if (!checkEventSize(body).ok) throw unsigned(server);
  return { event: { ...event, pdu }, body };
}

const unsigned = (server: ServerName): FederationError =>
  new FederationError(server, 'unusable', 'the invite came back without a good signature');
