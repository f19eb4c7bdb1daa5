/** The body of both ways to join a room. */
import type { JsonObject } from '../../../matrix/json/json-value.ts';
import { type Decoder, jsonObject, object, optional, recordOf, string } from '../../decode.ts';
import { userId } from './identifiers.ts';

export interface JoinBody {
  readonly reason: string | undefined;
  /** Further fields go into the membership event, as other servers have it and clients rely on. */
  readonly extra: JsonObject;
}

const known = object({
  reason: optional(string()),
  third_party_signed: optional(
    object({ sender: userId(), mxid: userId(), token: string(), signatures: recordOf(recordOf(string())) }),
  ),
});
/** What only the server says in a membership event. */
const reserved: ReadonlySet<string> = new Set([
  'reason',
  'membership',
  'third_party_signed',
  'join_authorised_via_users_server',
]);

export const joinBody: Decoder<JoinBody> = {
  isOptional: false,
  decode(value, at) {
    const { reason } = known.decode(value, at);
    const entries = Object.entries(jsonObject().decode(value, at)).filter(([name]) => !reserved.has(name));
    return { reason, extra: Object.fromEntries(entries) };
  },
};
