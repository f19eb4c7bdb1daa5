/**
 * Request and successful response bodies of the server-server API, by operationId.
 * Generated from the definitions of the Matrix specification v1.19 (matrix-org/matrix-spec b9c3d5ed3b0b46b2b025b4a427119036bc9ed71a,
 * Apache-2.0) by `npm run generate:api`. Do not edit: corrections go to corrections.ts.
 */
import type { JsonObject, JsonValue } from '../json/json-value.ts';

export type GetWellKnownResponse = { readonly 'm.server'?: string };
export type OnBindThirdPartyIdentifierRequest = {
  readonly medium: string;
  readonly address: string;
  readonly mxid: string;
  readonly invites: readonly {
    readonly medium: string;
    readonly address: string;
    readonly mxid: string;
    readonly room_id: string;
    readonly sender: string;
    readonly signed: SignedThirdPartyInvite;
  }[];
};
export type OnBindThirdPartyIdentifierResponse = JsonObject;
export type BackfillRoomResponse = UnlimitedPduTransaction;
export type GetEventResponse = SinglePduTransaction;
export type GetEventAuthResponse = { readonly auth_chain: readonly JsonObject[] };
export type ExchangeThirdPartyInviteRequest = {
  readonly type: string;
  readonly room_id: string;
  readonly sender: string;
  readonly state_key: string;
  readonly content: {
    readonly membership: string;
    readonly third_party_invite: { readonly display_name: string; readonly signed: SignedThirdPartyInvite };
  };
};
export type ExchangeThirdPartyInviteResponse = JsonObject;
export type GetMissingPreviousEventsRequest = {
  readonly limit?: number;
  readonly min_depth?: number;
  readonly earliest_events: readonly string[];
  readonly latest_events: readonly string[];
};
export type GetMissingPreviousEventsResponse = { readonly events: readonly JsonObject[] };
export type GetSpaceHierarchyResponse = {
  readonly room: RoomSummary & {
    readonly children_state: readonly (StrippedState & { readonly origin_server_ts: number })[];
    readonly room_type?: JsonValue;
    readonly encryption?: JsonValue;
    readonly room_version?: JsonValue;
  };
  readonly children: readonly (RoomSummary & {
    readonly room_type?: JsonValue;
    readonly encryption?: JsonValue;
    readonly room_version?: JsonValue;
  })[];
  readonly inaccessible_children: readonly string[];
};
export type SendInviteV1Request = InviteEvent & {
  readonly unsigned?: { readonly invite_room_state?: readonly JsonObject[] };
};
export type SendInviteV1Response = readonly (number | { readonly event: InviteEvent })[];
export type MakeJoinResponse = {
  readonly room_version?: string;
  readonly event?: {
    readonly sender: string;
    readonly origin: string;
    readonly origin_server_ts: number;
    readonly type: string;
    readonly state_key: string;
    readonly content: { readonly membership: string; readonly join_authorised_via_users_server?: string };
  };
};
export type MakeKnockResponse = {
  readonly room_version: string;
  readonly event: {
    readonly sender: string;
    readonly origin: string;
    readonly origin_server_ts: number;
    readonly type: string;
    readonly state_key: string;
    readonly content: { readonly membership: string };
  };
};
export type MakeLeaveResponse = {
  readonly room_version?: string;
  readonly event?: {
    readonly sender: string;
    readonly origin: string;
    readonly origin_server_ts: number;
    readonly type: string;
    readonly state_key: string;
    readonly content: { readonly membership: string };
  };
};
export type ExchangeOpenIdTokenResponse = { readonly sub: string };
export type GetPublicRoomsResponse = PublicRoomsResponse;
export type QueryPublicRoomsRequest = {
  readonly limit?: number;
  readonly since?: string;
  readonly filter?: { readonly generic_search_term?: string; readonly room_types?: readonly (string | null)[] };
  readonly include_all_networks?: boolean;
  readonly third_party_instance_id?: string;
};
export type QueryPublicRoomsResponse = PublicRoomsResponse;
export type QueryRoomDirectoryResponse = { readonly room_id: string; readonly servers: readonly string[] };
export type QueryProfileResponse = {
  readonly displayname?: string;
  readonly avatar_url?: string;
  readonly 'm.tz'?: string;
} & JsonObject;
export type SendTransactionRequest = Transaction & { readonly edus?: readonly EduWithExample[] };
export type SendTransactionResponse = {
  readonly pdus: { readonly [name: string]: { readonly error?: string } | undefined };
};
export type SendKnockRequest = {
  readonly sender: string;
  readonly origin: string;
  readonly origin_server_ts: number;
  readonly type: string;
  readonly state_key: string;
  readonly content: { readonly membership: string };
};
export type SendKnockResponse = { readonly knock_room_state: readonly JsonObject[] };
export type GetRoomStateResponse = { readonly auth_chain: readonly JsonObject[]; readonly pdus: readonly JsonObject[] };
export type GetRoomStateIdsResponse = {
  readonly auth_chain_ids: readonly string[];
  readonly pdu_ids: readonly string[];
};
export type GetEventByTimestampResponse = { readonly event_id: string; readonly origin_server_ts: number };
export type GetUserDevicesResponse = {
  readonly user_id: string;
  readonly stream_id: number;
  readonly devices: readonly {
    readonly device_id: string;
    readonly keys: DeviceKeys;
    readonly device_display_name?: string;
  }[];
  readonly master_key?: CrossSigningKey & JsonValue;
  readonly self_signing_key?: CrossSigningKey & JsonValue;
};
export type ClaimUserEncryptionKeysRequest = {
  readonly one_time_keys: { readonly [name: string]: { readonly [name: string]: string | undefined } | undefined };
};
export type ClaimUserEncryptionKeysResponse = {
  readonly one_time_keys: {
    readonly [name: string]:
      | {
          readonly [name: string]:
            | {
                readonly [name: string]:
                  | string
                  | {
                      readonly key: string;
                      readonly signatures: {
                        readonly [name: string]: { readonly [name: string]: string | undefined } | undefined;
                      };
                    }
                  | undefined;
              }
            | undefined;
        }
      | undefined;
  };
};
export type QueryUserEncryptionKeysRequest = {
  readonly device_keys: { readonly [name: string]: readonly string[] | undefined };
};
export type QueryUserEncryptionKeysResponse = {
  readonly device_keys: {
    readonly [name: string]:
      | {
          readonly [name: string]:
            (DeviceKeys & { readonly unsigned?: { readonly device_display_name?: string } }) | undefined;
        }
      | undefined;
  };
  readonly master_keys?: { readonly [name: string]: CrossSigningKey | undefined };
  readonly self_signing_keys?: { readonly [name: string]: CrossSigningKey | undefined };
};
export type GetVersionResponse = { readonly server?: { readonly name?: string; readonly version?: string } };
export type SendInviteV2Request = {
  readonly room_version: string;
  readonly event: InviteEvent;
  readonly invite_room_state?: readonly JsonObject[];
};
export type SendInviteV2Response = { readonly event: InviteEvent };
export type SendJoinV2Request = {
  readonly sender: string;
  readonly origin: string;
  readonly origin_server_ts: number;
  readonly type: string;
  readonly state_key: string;
  readonly content: { readonly membership: string; readonly join_authorised_via_users_server?: string };
};
export type SendJoinV2Response = {
  readonly members_omitted?: boolean;
  readonly auth_chain: readonly JsonObject[];
  readonly state: readonly JsonObject[];
  readonly event?: JsonObject;
  readonly servers_in_room?: readonly string[];
};
export type SendLeaveV2Request = {
  readonly sender: string;
  readonly origin: string;
  readonly origin_server_ts: number;
  readonly type: string;
  readonly state_key: string;
  readonly content: { readonly membership: string };
  readonly depth: number;
};
export type SendLeaveV2Response = JsonObject;
export type BulkPerspectivesKeyQueryRequest = {
  readonly server_keys: {
    readonly [name: string]:
      { readonly [name: string]: { readonly minimum_valid_until_ts?: number } | undefined } | undefined;
  };
};
export type BulkPerspectivesKeyQueryResponse = KeysQueryResponse;
export type PerspectivesKeyQueryResponse = KeysQueryResponse;
export type GetServerKeyResponse = Keys;
export type AskPolicyServerToSignRequest = JsonObject;
export type AskPolicyServerToSignResponse = JsonObject;
export type CrossSigningKey = {
  readonly user_id: string;
  readonly usage: readonly ('master' | 'self_signing' | 'user_signing')[];
  readonly keys: { readonly [name: string]: string | undefined };
  readonly signatures?: JsonObject;
};
export type DeviceKeys = {
  readonly user_id: string;
  readonly device_id: string;
  readonly algorithms: readonly string[];
  readonly keys: { readonly [name: string]: string | undefined };
  readonly signatures: { readonly [name: string]: { readonly [name: string]: string | undefined } | undefined };
};
export type Edu = { readonly edu_type: string; readonly content: JsonObject };
export type EduWithExample = Edu & JsonValue;
export type InviteEvent = {
  readonly sender: string;
  readonly origin: string;
  readonly origin_server_ts: number;
  readonly type: string;
  readonly state_key: string;
  readonly content: { readonly membership: string };
};
export type Keys = {
  readonly server_name: string;
  readonly verify_keys: { readonly [name: string]: { readonly key: string } | undefined };
  readonly old_verify_keys?: {
    readonly [name: string]: { readonly expired_ts: number; readonly key: string } | undefined;
  };
  readonly signatures: { readonly [name: string]: { readonly [name: string]: string | undefined } | undefined };
  readonly valid_until_ts: number;
};
export type KeysQueryResponse = { readonly server_keys?: readonly Keys[] };
export type PublicRoomsChunk = {
  readonly canonical_alias?: string;
  readonly name?: string;
  readonly num_joined_members: number;
  readonly room_id: string;
  readonly topic?: string;
  readonly world_readable: boolean;
  readonly guest_can_join: boolean;
  readonly avatar_url?: string;
  readonly join_rule?: string;
  readonly room_type?: string;
};
export type PublicRoomsResponse = {
  readonly chunk: readonly PublicRoomsChunk[];
  readonly next_batch?: string;
  readonly prev_batch?: string;
  readonly total_room_count_estimate?: number;
};
export type RoomSummary = PublicRoomsChunk & {
  readonly room_type?: string;
  readonly allowed_room_ids?: readonly string[];
  readonly encryption?: 'm.megolm.v1.aes-sha2';
  readonly room_version?: string;
};
export type SignedThirdPartyInvite = {
  readonly mxid: string;
  readonly signatures: { readonly [name: string]: { readonly [name: string]: string | undefined } | undefined };
  readonly token: string;
};
export type SinglePduTransaction = Transaction & { readonly pdus: readonly JsonObject[] };
export type StrippedState = {
  readonly content: JsonObject;
  readonly state_key: string;
  readonly type: string;
  readonly sender: string;
};
export type Transaction = {
  readonly origin: string;
  readonly origin_server_ts: number;
  readonly pdus: readonly JsonObject[];
};
export type UnlimitedPduTransaction = Transaction & { readonly pdus: readonly JsonObject[] };
