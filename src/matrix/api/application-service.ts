/**
 * Request and successful response bodies of the application-service API, by operationId.
 * Generated from the definitions of the Matrix specification v1.19 (matrix-org/matrix-spec b9c3d5ed3b0b46b2b025b4a427119036bc9ed71a,
 * Apache-2.0) by `npm run generate:api`. Do not edit: corrections go to corrections.ts.
 */
import type { JsonObject, JsonValue } from '../json/json-value.ts';

export type PingRequest = { readonly transaction_id?: string };
export type PingResponse = JsonObject;
export type QueryRoomByAliasResponse = JsonObject;
export type QueryLocationByAliasResponse = LocationBatch;
export type QueryLocationByProtocolResponse = LocationBatch;
export type GetProtocolMetadataResponse = Protocol;
export type QueryUserByIDResponse = UserBatch;
export type QueryUserByProtocolResponse = UserBatch;
export type SendTransactionRequest = { readonly events: readonly ClientEvent[]; readonly ephemeral?: readonly Event[] };
export type SendTransactionResponse = JsonObject;
export type QueryUserByIdResponse = JsonObject;
export type ClientEvent = ClientEventWithoutRoomId & {
  readonly room_id: string;
  readonly unsigned?: { readonly redacted_because?: JsonValue };
};
export type ClientEventWithoutRoomId = {
  readonly event_id: string;
  readonly type: string;
  readonly state_key?: string;
  readonly sender: string;
  readonly origin_server_ts: number;
  readonly content: JsonObject;
  readonly unsigned?: {
    readonly age?: number;
    readonly redacted_because?: JsonObject;
    readonly transaction_id?: string;
    readonly prev_content?: JsonObject;
    readonly replaces_state?: string;
    readonly membership?: string;
  };
};
export type Event = { readonly content: JsonObject; readonly type: string };
export type Location = { readonly alias: string; readonly protocol: string; readonly fields: JsonObject };
export type LocationBatch = readonly Location[];
export type Protocol = ProtocolBase & { readonly instances: readonly ProtocolInstance[] };
export type ProtocolBase = {
  readonly user_fields: readonly string[];
  readonly location_fields: readonly string[];
  readonly icon: string;
  readonly field_types: {
    readonly [name: string]: { readonly regexp: string; readonly placeholder: string } | undefined;
  };
};
export type ProtocolInstance = {
  readonly desc: string;
  readonly icon?: string;
  readonly fields: JsonObject;
  readonly network_id: string;
};
export type User = { readonly userid: string; readonly protocol: string; readonly fields: JsonObject };
export type UserBatch = readonly User[];
