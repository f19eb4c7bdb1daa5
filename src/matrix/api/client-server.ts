/**
 * Request and successful response bodies of the client-server API, by operationId.
 * Generated from the definitions of the Matrix specification v1.19 (matrix-org/matrix-spec b9c3d5ed3b0b46b2b025b4a427119036bc9ed71a,
 * Apache-2.0) by `npm run generate:api`. Do not edit: corrections go to corrections.ts.
 */
import type { JsonObject, JsonValue } from '../json/json-value.ts';

export type GetWellknownResponse = Full;
export type GetWellknownPolicyResponse = { readonly public_keys: { readonly ed25519: string } & JsonObject };
export type GetWellknownSupportResponse = {
  readonly contacts?: readonly {
    readonly matrix_id?: string;
    readonly email_address?: string;
    readonly role: 'm.role.admin' | 'm.role.security';
  }[];
  readonly support_page?: string;
};
export type GetAdminLockUserResponse = { readonly locked: boolean };
export type SetAdminLockUserRequest = { readonly locked: boolean };
export type SetAdminLockUserResponse = { readonly locked: boolean };
export type GetAdminSuspendUserResponse = { readonly suspended: boolean };
export type SetAdminSuspendUserRequest = { readonly suspended: boolean };
export type SetAdminSuspendUserResponse = { readonly suspended: boolean };
export type PingAppserviceRequest = { readonly transaction_id?: string };
export type PingAppserviceResponse = { readonly duration_ms: number };
export type GetAuthMetadataResponse = {
  readonly issuer: string;
  readonly authorization_endpoint: string;
  readonly token_endpoint: string;
  readonly revocation_endpoint: string;
  readonly registration_endpoint: string;
  readonly response_types_supported: readonly string[];
  readonly grant_types_supported: readonly string[];
  readonly response_modes_supported: readonly string[];
  readonly code_challenge_methods_supported: readonly string[];
  readonly prompt_values_supported?: readonly string[];
  readonly account_management_uri?: string;
  readonly account_management_actions_supported?: readonly (
    | 'org.matrix.profile'
    | 'org.matrix.devices_list'
    | 'org.matrix.device_view'
    | 'org.matrix.device_delete'
    | 'org.matrix.account_deactivate'
    | 'org.matrix.cross_signing_reset'
  )[];
  readonly device_authorization_endpoint?: string;
};
export type GenerateLoginTokenRequest = { readonly auth?: AuthData };
export type GenerateLoginTokenResponse = { readonly login_token: string; readonly expires_in_ms: number };
export type GetConfigAuthedResponse = { readonly 'm.upload.size'?: number };
export type GetUrlPreviewAuthedResponse = {
  readonly 'matrix:image:size'?: number;
  readonly 'og:image'?: string;
} & JsonObject;
export type GetMutualRoomsResponse = {
  readonly joined: readonly string[];
  readonly count: number;
  readonly next_batch?: string;
};
export type RegistrationTokenValidityResponse = { readonly valid: boolean };
export type GetRoomSummaryResponse = RoomSummary & {
  readonly membership?: 'invite' | 'join' | 'knock' | 'leave' | 'ban';
};
export type GetSpaceHierarchyResponse = {
  readonly rooms: readonly (RoomSummary & {
    readonly children_state: readonly (StrippedState & { readonly origin_server_ts: number })[];
    readonly room_type?: JsonValue;
    readonly allowed_room_ids?: JsonValue;
    readonly encryption?: JsonValue;
    readonly room_version?: JsonValue;
  })[];
  readonly next_batch?: string;
};
export type GetRelatingEventsResponse = RelationsResponse & { readonly chunk: readonly ClientEvent[] };
export type GetRelatingEventsWithRelTypeResponse = RelationsResponse & { readonly chunk: readonly ClientEvent[] };
export type GetRelatingEventsWithRelTypeAndEventTypeResponse = RelationsResponse & {
  readonly chunk: readonly ClientEvent[];
};
export type GetThreadRootsResponse = { readonly chunk: readonly ClientEvent[]; readonly next_batch?: string };
export type GetEventByTimestampResponse = { readonly event_id: string; readonly origin_server_ts: number };
export type GetAccount3PIDsResponse = {
  readonly threepids?: readonly {
    readonly medium: 'email' | 'msisdn';
    readonly address: string;
    readonly validated_at: number;
    readonly added_at: number;
  }[];
};
export type Post3PIDsRequest = {
  readonly three_pid_creds: {
    readonly client_secret: string;
    readonly id_server: string;
    readonly id_access_token: string;
    readonly sid: string;
  };
};
export type Post3PIDsResponse = { readonly submit_url?: string };
export type Add3PIDRequest = { readonly auth?: AuthData; readonly client_secret: string; readonly sid: string };
export type Add3PIDResponse = JsonObject;
export type Bind3PIDRequest = {
  readonly client_secret: string;
  readonly id_server: string;
  readonly id_access_token: string;
  readonly sid: string;
};
export type Bind3PIDResponse = JsonObject;
export type Delete3pidFromAccountRequest = {
  readonly id_server?: string;
  readonly medium: 'email' | 'msisdn';
  readonly address: string;
};
export type Delete3pidFromAccountResponse = { readonly id_server_unbind_result: 'no-support' | 'success' };
export type RequestTokenTo3PIDEmailRequest = RequestEmailValidation;
export type RequestTokenTo3PIDEmailResponse = RequestTokenResponse;
export type RequestTokenTo3PIDMSISDNRequest = RequestMsisdnValidation;
export type RequestTokenTo3PIDMSISDNResponse = RequestTokenResponse;
export type Unbind3pidFromAccountRequest = {
  readonly id_server?: string;
  readonly medium: 'email' | 'msisdn';
  readonly address: string;
};
export type Unbind3pidFromAccountResponse = { readonly id_server_unbind_result: 'no-support' | 'success' };
export type DeactivateAccountRequest = {
  readonly auth?: AuthData;
  readonly id_server?: string;
  readonly erase?: boolean;
};
export type DeactivateAccountResponse = { readonly id_server_unbind_result: 'success' | 'no-support' };
export type ChangePasswordRequest = {
  readonly new_password: string;
  readonly logout_devices?: boolean;
  readonly auth?: AuthData;
};
export type ChangePasswordResponse = JsonObject;
export type RequestTokenToResetPasswordEmailRequest = RequestEmailValidation;
export type RequestTokenToResetPasswordEmailResponse = RequestTokenResponse;
export type RequestTokenToResetPasswordMSISDNRequest = RequestMsisdnValidation;
export type RequestTokenToResetPasswordMSISDNResponse = RequestTokenResponse;
export type GetTokenOwnerResponse = {
  readonly user_id: string;
  readonly device_id?: string;
  readonly is_guest?: boolean;
};
export type GetWhoIsResponse = {
  readonly user_id?: string;
  readonly devices?: {
    readonly [name: string]:
      | {
          readonly sessions?: readonly {
            readonly connections?: readonly {
              readonly ip?: string;
              readonly last_seen?: number;
              readonly user_agent?: string;
            }[];
          }[];
        }
      | undefined;
  };
};
export type GetCapabilitiesResponse = {
  readonly capabilities: {
    readonly 'm.change_password'?: CapabilitiesBooleanCapability;
    readonly 'm.forget_forced_upon_leave'?: CapabilitiesBooleanCapability;
    readonly 'm.room_versions'?: {
      readonly default: string;
      readonly available: { readonly [name: string]: 'stable' | 'unstable' | undefined };
    };
    readonly 'm.set_displayname'?: CapabilitiesBooleanCapability;
    readonly 'm.set_avatar_url'?: CapabilitiesBooleanCapability;
    readonly 'm.3pid_changes'?: CapabilitiesBooleanCapability;
    readonly 'm.get_login_token'?: CapabilitiesBooleanCapability;
    readonly 'm.profile_fields'?: {
      readonly allowed?: readonly string[];
      readonly disallowed?: readonly string[];
      readonly enabled: boolean;
    };
    readonly 'm.account_moderation'?: { readonly suspend?: boolean; readonly lock?: boolean };
  } & JsonObject;
};
export type CreateRoomRequest = {
  readonly visibility?: 'public' | 'private';
  readonly room_alias_name?: string;
  readonly name?: string;
  readonly topic?: string;
  readonly invite?: readonly string[];
  readonly invite_3pid?: readonly Invite3pid[];
  readonly room_version?: string;
  readonly creation_content?: JsonObject;
  readonly initial_state?: readonly {
    readonly type: string;
    readonly state_key?: string;
    readonly content: JsonObject;
  }[];
  readonly preset?: 'private_chat' | 'public_chat' | 'trusted_private_chat';
  readonly is_direct?: boolean;
  readonly power_level_content_override?: JsonObject;
};
export type CreateRoomResponse = { readonly room_id: string };
export type DeleteDevicesRequest = { readonly devices: readonly string[]; readonly auth?: AuthData };
export type DeleteDevicesResponse = JsonObject;
export type GetDevicesResponse = { readonly devices?: readonly ClientDevice[] };
export type DeleteDeviceRequest = { readonly auth?: AuthData };
export type DeleteDeviceResponse = JsonObject;
export type GetDeviceResponse = ClientDevice;
export type UpdateDeviceRequest = { readonly display_name?: string };
export type UpdateDeviceResponse = JsonObject;
export type UpdateAppserviceRoomDirectoryVisibilityRequest = { readonly visibility: 'public' | 'private' };
export type UpdateAppserviceRoomDirectoryVisibilityResponse = JsonObject;
export type GetRoomVisibilityOnDirectoryResponse = { readonly visibility?: 'private' | 'public' };
export type SetRoomVisibilityOnDirectoryRequest = { readonly visibility?: 'private' | 'public' };
export type SetRoomVisibilityOnDirectoryResponse = JsonObject;
export type DeleteRoomAliasResponse = JsonObject;
export type GetRoomIdByAliasResponse = { readonly room_id?: string; readonly servers?: readonly string[] };
export type SetRoomAliasRequest = { readonly room_id: string };
export type SetRoomAliasResponse = JsonObject;
export type GetEventsResponse = {
  readonly start?: string;
  readonly end?: string;
  readonly chunk?: readonly ClientEvent[];
};
export type PeekEventsResponse = {
  readonly start?: string;
  readonly end?: string;
  readonly chunk?: readonly ClientEvent[];
};
export type GetOneEventResponse = ClientEvent;
export type InitialSyncResponse = {
  readonly end: string;
  readonly presence: readonly Event[];
  readonly rooms: readonly {
    readonly room_id: string;
    readonly membership: 'invite' | 'join' | 'leave' | 'ban';
    readonly invite?: ClientEvent;
    readonly messages?: { readonly start?: string; readonly end: string; readonly chunk: readonly ClientEvent[] };
    readonly state?: readonly ClientEvent[];
    readonly visibility?: 'private' | 'public';
    readonly account_data?: readonly Event[];
  }[];
  readonly account_data?: readonly Event[];
};
export type JoinRoomRequest = { readonly third_party_signed?: ThirdPartySigned; readonly reason?: string };
export type JoinRoomResponse = { readonly room_id: string };
export type GetJoinedRoomsResponse = { readonly joined_rooms: readonly string[] };
export type GetKeysChangesResponse = { readonly changed?: readonly string[]; readonly left?: readonly string[] };
export type ClaimKeysRequest = {
  readonly timeout?: number;
  readonly one_time_keys: { readonly [name: string]: { readonly [name: string]: string | undefined } | undefined };
};
export type ClaimKeysResponse = {
  readonly failures?: { readonly [name: string]: JsonObject | undefined };
  readonly one_time_keys: { readonly [name: string]: { readonly [name: string]: OneTimeKeys | undefined } | undefined };
};
export type UploadCrossSigningKeysRequest = {
  readonly master_key?: CrossSigningKey;
  readonly self_signing_key?: CrossSigningKey;
  readonly user_signing_key?: CrossSigningKey;
  readonly auth?: AuthData;
};
export type UploadCrossSigningKeysResponse = JsonObject;
export type QueryKeysRequest = {
  readonly timeout?: number;
  readonly device_keys: { readonly [name: string]: readonly string[] | undefined };
};
export type QueryKeysResponse = {
  readonly failures?: { readonly [name: string]: JsonObject | undefined };
  readonly device_keys?: {
    readonly [name: string]:
      | {
          readonly [name: string]:
            (DeviceKeys & { readonly unsigned?: { readonly device_display_name?: string } }) | undefined;
        }
      | undefined;
  };
  readonly master_keys?: { readonly [name: string]: CrossSigningKey | undefined };
  readonly self_signing_keys?: { readonly [name: string]: CrossSigningKey | undefined };
  readonly user_signing_keys?: { readonly [name: string]: CrossSigningKey | undefined };
};
export type UploadCrossSigningSignaturesRequest = {
  readonly [name: string]: { readonly [name: string]: JsonObject | undefined } | undefined;
};
export type UploadCrossSigningSignaturesResponse = {
  readonly failures?: { readonly [name: string]: { readonly [name: string]: JsonObject | undefined } | undefined };
};
export type UploadKeysRequest = {
  readonly device_keys?: DeviceKeys;
  readonly one_time_keys?: OneTimeKeys;
  readonly fallback_keys?: OneTimeKeys;
};
export type UploadKeysResponse = { readonly one_time_key_counts: { readonly [name: string]: number | undefined } };
export type KnockRoomRequest = { readonly reason?: string };
export type KnockRoomResponse = { readonly room_id: string };
export type GetLoginFlowsResponse = {
  readonly flows?: readonly { readonly type: string; readonly get_login_token?: boolean }[];
};
export type LoginRequest = {
  readonly type: string;
  readonly identifier?: UserIdentifier;
  readonly user?: string;
  readonly medium?: string;
  readonly address?: string;
  readonly password?: string;
  readonly token?: string;
  readonly device_id?: string;
  readonly initial_device_display_name?: string;
  readonly refresh_token?: boolean;
};
export type LoginResponse = {
  readonly user_id: string;
  readonly access_token: string;
  readonly refresh_token?: string;
  readonly expires_in_ms?: number;
  readonly home_server?: string;
  readonly device_id: string;
  readonly well_known?: Full;
};
export type LogoutResponse = JsonObject;
export type LogoutAllResponse = JsonObject;
export type GetNotificationsResponse = {
  readonly next_token?: string;
  readonly notifications: readonly {
    readonly actions: readonly (JsonObject | string)[];
    readonly event: ClientEventWithoutRoomId;
    readonly profile_tag?: string;
    readonly read: boolean;
    readonly room_id: string;
    readonly ts: number;
  }[];
};
export type GetPresenceResponse = {
  readonly presence: 'online' | 'offline' | 'unavailable';
  readonly last_active_ago?: number;
  readonly status_msg?: string | null;
  readonly currently_active?: boolean;
};
export type SetPresenceRequest = {
  readonly presence: 'online' | 'offline' | 'unavailable';
  readonly status_msg?: string;
};
export type SetPresenceResponse = JsonObject;
export type GetUserProfileResponse = {
  readonly avatar_url?: string;
  readonly displayname?: string;
  readonly 'm.tz'?: string;
} & JsonObject;
export type DeleteProfileFieldResponse = JsonObject;
export type GetProfileFieldResponse = { readonly [name: string]: JsonValue | undefined };
export type SetProfileFieldRequest = { readonly [name: string]: JsonValue | undefined };
export type SetProfileFieldResponse = JsonObject;
export type GetPublicRoomsResponse = PublicRoomsResponse;
export type QueryPublicRoomsRequest = {
  readonly limit?: number;
  readonly since?: string;
  readonly filter?: { readonly generic_search_term?: string; readonly room_types?: readonly (string | null)[] };
  readonly include_all_networks?: boolean;
  readonly third_party_instance_id?: string;
};
export type QueryPublicRoomsResponse = PublicRoomsResponse;
export type GetPushersResponse = {
  readonly pushers?: readonly {
    readonly pushkey: string;
    readonly kind: string;
    readonly app_id: string;
    readonly app_display_name: string;
    readonly device_display_name: string;
    readonly profile_tag?: string;
    readonly lang: string;
    readonly data: { readonly url?: string; readonly format?: string };
  }[];
};
export type PostPusherRequest = {
  readonly pushkey: string;
  readonly kind: string | null;
  readonly app_id: string;
  readonly app_display_name?: string;
  readonly device_display_name?: string;
  readonly profile_tag?: string;
  readonly lang?: string;
  readonly data?: { readonly url?: string; readonly format?: 'event_id_only' };
  readonly append?: boolean;
};
export type PostPusherResponse = JsonObject;
export type GetPushRulesResponse = { readonly global: PushRuleset };
export type GetPushRulesGlobalResponse = PushRuleset;
export type DeletePushRuleResponse = JsonObject;
export type GetPushRuleResponse = PushRule;
export type SetPushRuleRequest = {
  readonly actions: readonly (string | JsonObject)[];
  readonly conditions?: readonly PushCondition[];
  readonly pattern?: string;
};
export type SetPushRuleResponse = JsonObject;
export type GetPushRuleActionsResponse = { readonly actions: readonly (string | JsonObject)[] };
export type SetPushRuleActionsRequest = { readonly actions: readonly (string | JsonObject)[] };
export type SetPushRuleActionsResponse = JsonObject;
export type IsPushRuleEnabledResponse = { readonly enabled: boolean };
export type SetPushRuleEnabledRequest = { readonly enabled: boolean };
export type SetPushRuleEnabledResponse = JsonObject;
export type RefreshRequest = { readonly refresh_token: string };
export type RefreshResponse = {
  readonly access_token: string;
  readonly refresh_token?: string;
  readonly expires_in_ms?: number;
};
export type RegisterRequest = {
  readonly auth?: AuthData;
  readonly username?: string;
  readonly password?: string;
  readonly device_id?: string;
  readonly initial_device_display_name?: string;
  readonly inhibit_login?: boolean;
  readonly refresh_token?: boolean;
};
export type RegisterResponse = {
  readonly user_id: string;
  readonly access_token?: string;
  readonly refresh_token?: string;
  readonly expires_in_ms?: number;
  readonly home_server?: string;
  readonly device_id?: string;
};
export type CheckUsernameAvailabilityResponse = { readonly available?: boolean };
export type RequestTokenToRegisterEmailRequest = RequestEmailValidation;
export type RequestTokenToRegisterEmailResponse = RequestTokenResponse;
export type RequestTokenToRegisterMSISDNRequest = RequestMsisdnValidation;
export type RequestTokenToRegisterMSISDNResponse = RequestTokenResponse;
export type DeleteRoomKeysResponse = KeyBackupRoomKeysUpdateResponse;
export type GetRoomKeysResponse = { readonly rooms: { readonly [name: string]: RoomKeyBackup | undefined } };
export type PutRoomKeysRequest = { readonly rooms: { readonly [name: string]: RoomKeyBackup | undefined } };
export type PutRoomKeysResponse = KeyBackupRoomKeysUpdateResponse;
export type DeleteRoomKeysByRoomIdResponse = KeyBackupRoomKeysUpdateResponse;
export type GetRoomKeysByRoomIdResponse = RoomKeyBackup;
export type PutRoomKeysByRoomIdRequest = RoomKeyBackup;
export type PutRoomKeysByRoomIdResponse = KeyBackupRoomKeysUpdateResponse;
export type DeleteRoomKeyBySessionIdResponse = KeyBackupRoomKeysUpdateResponse;
export type GetRoomKeyBySessionIdResponse = KeyBackupData;
export type PutRoomKeyBySessionIdRequest = KeyBackupData;
export type PutRoomKeyBySessionIdResponse = KeyBackupRoomKeysUpdateResponse;
export type GetRoomKeysVersionCurrentResponse = {
  readonly algorithm: 'm.megolm_backup.v1.curve25519-aes-sha2';
  readonly auth_data: JsonObject;
  readonly count: number;
  readonly etag: string;
  readonly version: string;
};
export type PostRoomKeysVersionRequest = {
  readonly algorithm: 'm.megolm_backup.v1.curve25519-aes-sha2';
  readonly auth_data: JsonObject;
};
export type PostRoomKeysVersionResponse = { readonly version: string };
export type DeleteRoomKeysVersionResponse = JsonObject;
export type GetRoomKeysVersionResponse = {
  readonly algorithm: 'm.megolm_backup.v1.curve25519-aes-sha2';
  readonly auth_data: JsonObject;
  readonly count: number;
  readonly etag: string;
  readonly version: string;
};
export type PutRoomKeysVersionRequest = {
  readonly algorithm: 'm.megolm_backup.v1.curve25519-aes-sha2';
  readonly auth_data: JsonObject;
  readonly version?: string;
};
export type PutRoomKeysVersionResponse = JsonObject;
export type GetLocalAliasesResponse = { readonly aliases: readonly string[] };
export type BanRequest = { readonly user_id: string; readonly reason?: string };
export type BanResponse = JsonObject;
export type GetEventContextResponse = {
  readonly start?: string;
  readonly end?: string;
  readonly events_before?: readonly ClientEvent[];
  readonly event?: ClientEvent;
  readonly events_after?: readonly ClientEvent[];
  readonly state?: readonly ClientEvent[];
};
export type GetOneRoomEventResponse = ClientEvent;
export type ForgetRoomResponse = JsonObject;
export type RoomInitialSyncResponse = {
  readonly room_id: string;
  readonly membership?: 'invite' | 'join' | 'leave' | 'ban';
  readonly messages?: { readonly start?: string; readonly end: string; readonly chunk: readonly ClientEvent[] };
  readonly state?: readonly ClientEvent[];
  readonly visibility?: 'private' | 'public';
  readonly account_data?: readonly Event[];
};
export type InviteBy3PIDRequest = Invite3pid;
export type InviteBy3PIDResponse = JsonObject;
export type InviteUserRequest = { readonly user_id: string; readonly reason?: string };
export type InviteUserResponse = JsonObject;
export type JoinRoomByIdRequest = { readonly third_party_signed?: ThirdPartySigned; readonly reason?: string };
export type JoinRoomByIdResponse = { readonly room_id: string };
export type GetJoinedMembersByRoomResponse = {
  readonly joined?: {
    readonly [name: string]: { readonly display_name?: string; readonly avatar_url?: string } | undefined;
  };
};
export type KickRequest = { readonly user_id: string; readonly reason?: string };
export type KickResponse = JsonObject;
export type LeaveRoomRequest = { readonly reason?: string };
export type LeaveRoomResponse = JsonObject;
export type GetMembersByRoomResponse = { readonly chunk?: readonly ClientEvent[] };
export type GetRoomEventsResponse = {
  readonly start: string;
  readonly end?: string;
  readonly chunk: readonly ClientEvent[];
  readonly state?: readonly ClientEvent[];
};
export type SetReadMarkerRequest = {
  readonly 'm.fully_read'?: string;
  readonly 'm.read'?: string;
  readonly 'm.read.private'?: string;
};
export type SetReadMarkerResponse = JsonObject;
export type PostReceiptRequest = { readonly thread_id?: string };
export type PostReceiptResponse = JsonObject;
export type RedactEventRequest = { readonly reason?: string };
export type RedactEventResponse = { readonly event_id?: string };
export type ReportRoomRequest = { readonly reason: string };
export type ReportRoomResponse = JsonObject;
export type ReportEventRequest = { readonly reason?: string };
export type ReportEventResponse = JsonObject;
export type SendMessageRequest = JsonObject;
export type SendMessageResponse = { readonly event_id: string };
export type GetRoomStateResponse = readonly ClientEvent[];
export type GetRoomStateWithKeyResponse = JsonObject | StateEvent;
export type SetRoomStateWithKeyRequest = JsonObject;
export type SetRoomStateWithKeyResponse = { readonly event_id: string };
export type SetTypingRequest = { readonly typing: boolean; readonly timeout?: number };
export type SetTypingResponse = JsonObject;
export type UnbanRequest = { readonly user_id: string; readonly reason?: string };
export type UnbanResponse = JsonObject;
export type UpgradeRoomRequest = { readonly new_version: string; readonly additional_creators?: readonly string[] };
export type UpgradeRoomResponse = { readonly replacement_room: string };
export type SearchRequest = {
  readonly search_categories: {
    readonly room_events?: {
      readonly search_term: string;
      readonly keys?: readonly ('content.body' | 'content.name' | 'content.topic')[];
      readonly filter?: RoomEventFilter;
      readonly order_by?: 'recent' | 'rank';
      readonly event_context?: {
        readonly before_limit?: number;
        readonly after_limit?: number;
        readonly include_profile?: boolean;
      };
      readonly include_state?: boolean;
      readonly groupings?: { readonly group_by?: readonly { readonly key?: 'room_id' | 'sender' }[] };
    };
  };
};
export type SearchResponse = {
  readonly search_categories: {
    readonly room_events?: {
      readonly count?: number;
      readonly highlights?: readonly string[];
      readonly results?: readonly {
        readonly rank?: number;
        readonly result?: ClientEvent;
        readonly context?: {
          readonly start?: string;
          readonly end?: string;
          readonly profile_info?: {
            readonly [name: string]: { readonly displayname?: string; readonly avatar_url?: string } | undefined;
          };
          readonly events_before?: readonly ClientEvent[];
          readonly events_after?: readonly ClientEvent[];
        };
      }[];
      readonly state?: { readonly [name: string]: readonly ClientEvent[] | undefined };
      readonly groups?: {
        readonly [name: string]:
          | {
              readonly [name: string]:
                | { readonly next_batch?: string; readonly order?: number; readonly results?: readonly string[] }
                | undefined;
            }
          | undefined;
      };
      readonly next_batch?: string;
    };
  };
};
export type SendToDeviceRequest = {
  readonly messages: { readonly [name: string]: { readonly [name: string]: JsonObject | undefined } | undefined };
};
export type SendToDeviceResponse = JsonObject;
export type SyncResponse = {
  readonly next_batch: string;
  readonly rooms?: {
    readonly join?: {
      readonly [name: string]:
        | {
            readonly summary?: {
              readonly 'm.heroes'?: readonly string[];
              readonly 'm.joined_member_count'?: number;
              readonly 'm.invited_member_count'?: number;
            };
            readonly state?: StateEventBatch;
            readonly state_after?: StateEventBatch;
            readonly timeline?: TimelineBatch;
            readonly ephemeral?: EventBatch;
            readonly account_data?: EventBatch;
            readonly unread_notifications?: { readonly highlight_count?: number; readonly notification_count?: number };
            readonly unread_thread_notifications?: {
              readonly [name: string]:
                { readonly highlight_count?: number; readonly notification_count?: number } | undefined;
            };
          }
        | undefined;
    };
    readonly invite?: {
      readonly [name: string]: { readonly invite_state?: { readonly events?: readonly StrippedState[] } } | undefined;
    };
    readonly knock?: {
      readonly [name: string]: { readonly knock_state?: { readonly events?: readonly StrippedState[] } } | undefined;
    };
    readonly leave?: {
      readonly [name: string]:
        | {
            readonly state?: StateEventBatch;
            readonly state_after?: StateEventBatch;
            readonly timeline?: TimelineBatch;
            readonly account_data?: EventBatch;
          }
        | undefined;
    };
  };
  readonly presence?: EventBatch;
  readonly account_data?: EventBatch;
  readonly to_device?: JsonObject;
  readonly device_lists?: JsonObject;
  readonly device_one_time_keys_count?: { readonly [name: string]: number | undefined };
};
export type QueryLocationByAliasResponse = LocationBatch;
export type QueryLocationByProtocolResponse = LocationBatch;
export type GetProtocolMetadataResponse = Protocol;
export type GetProtocolsResponse = { readonly [name: string]: Protocol | undefined };
export type QueryUserByIDResponse = UserBatch;
export type QueryUserByProtocolResponse = UserBatch;
export type GetAccountDataResponse = JsonObject;
export type SetAccountDataRequest = JsonObject;
export type SetAccountDataResponse = JsonObject;
export type DefineFilterRequest = SyncFilter;
export type DefineFilterResponse = { readonly filter_id: string };
export type GetFilterResponse = SyncFilter;
export type RequestOpenIdTokenRequest = JsonObject;
export type RequestOpenIdTokenResponse = OpenidToken;
export type GetAccountDataPerRoomResponse = JsonObject;
export type SetAccountDataPerRoomRequest = JsonObject;
export type SetAccountDataPerRoomResponse = JsonObject;
export type GetRoomTagsResponse = { readonly tags?: { readonly [name: string]: Tag | undefined } };
export type DeleteRoomTagResponse = JsonObject;
export type SetRoomTagRequest = Tag;
export type SetRoomTagResponse = JsonObject;
export type SearchUserDirectoryRequest = { readonly search_term: string; readonly limit?: number };
export type SearchUserDirectoryResponse = {
  readonly results: readonly {
    readonly user_id: string;
    readonly display_name?: string;
    readonly avatar_url?: string;
  }[];
  readonly limited: boolean;
};
export type ReportUserRequest = { readonly reason: string };
export type ReportUserResponse = JsonObject;
export type GetTurnServerResponse = {
  readonly username: string;
  readonly password: string;
  readonly uris: readonly string[];
  readonly ttl: number;
};
export type GetVersionsResponse = {
  readonly versions: readonly string[];
  readonly unstable_features?: { readonly [name: string]: boolean | undefined };
};
export type CreateContentResponse = { readonly content_uri: string; readonly unused_expires_at?: number };
export type GetConfigResponse = { readonly 'm.upload.size'?: number };
export type GetUrlPreviewResponse = {
  readonly 'matrix:image:size'?: number;
  readonly 'og:image'?: string;
} & JsonObject;
export type UploadContentResponse = { readonly content_uri: string };
export type UploadContentToMXCResponse = JsonObject;
export type AuthData = { readonly type?: string; readonly session?: string } & JsonObject;
export type CapabilitiesBooleanCapability = { readonly enabled: boolean };
export type ClientDevice = {
  readonly device_id: string;
  readonly display_name?: string;
  readonly last_seen_ip?: string;
  readonly last_seen_ts?: number;
};
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
export type CrossSigningKey = {
  readonly user_id: string;
  readonly usage: readonly ('master' | 'self_signing' | 'user_signing')[];
  readonly keys: { readonly [name: string]: string | undefined };
  readonly signatures?: JsonObject;
};
export type DefinitionsRequestEmailValidation = {
  readonly client_secret: string;
  readonly email: string;
  readonly send_attempt: number;
  readonly next_link?: string;
};
export type DefinitionsRequestMsisdnValidation = {
  readonly client_secret: string;
  readonly country: string;
  readonly phone_number: string;
  readonly send_attempt: number;
  readonly next_link?: string;
};
export type DeviceKeys = {
  readonly user_id: string;
  readonly device_id: string;
  readonly algorithms: readonly string[];
  readonly keys: { readonly [name: string]: string | undefined };
  readonly signatures: { readonly [name: string]: { readonly [name: string]: string | undefined } | undefined };
};
export type Event = { readonly content: JsonObject; readonly type: string };
export type EventBatch = { readonly events?: readonly Event[] };
export type EventFilter = {
  readonly limit?: number;
  readonly not_senders?: readonly string[];
  readonly not_types?: readonly string[];
  readonly senders?: readonly string[];
  readonly types?: readonly string[];
};
export type Full = { readonly 'm.homeserver': Homeserver; readonly 'm.identity_server'?: IdentityServer } & JsonObject;
export type Homeserver = { readonly base_url: string };
export type IdentityServer = { readonly base_url: string };
export type Invite3pid = {
  readonly id_server: string;
  readonly id_access_token: string;
  readonly medium: string;
  readonly address: string;
};
export type KeyBackupData = {
  readonly first_message_index: number;
  readonly forwarded_count: number;
  readonly is_verified: boolean;
  readonly session_data: JsonObject;
};
export type KeyBackupRoomKeysUpdateResponse = { readonly etag: string; readonly count: number };
export type Location = { readonly alias: string; readonly protocol: string; readonly fields: JsonObject };
export type LocationBatch = readonly Location[];
export type OneTimeKeys = {
  readonly [name: string]:
    | string
    | { readonly key: string; readonly signatures: { readonly [name: string]: JsonObject | undefined } }
    | undefined;
};
export type OpenidToken = {
  readonly access_token: string;
  readonly token_type: string;
  readonly matrix_server_name: string;
  readonly expires_in: number;
};
export type Protocol = ProtocolBase & {
  readonly instances: readonly (ProtocolInstance & { readonly instance_id?: string })[];
};
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
export type PushCondition = {
  readonly kind: string;
  readonly key?: string;
  readonly pattern?: string;
  readonly is?: string;
  readonly value?: string | number | boolean | null;
};
export type PushRule = {
  readonly actions: readonly (string | JsonObject)[];
  readonly default: boolean;
  readonly enabled: boolean;
  readonly rule_id: string;
  readonly conditions?: readonly PushCondition[];
  readonly pattern?: string;
};
export type PushRuleset = {
  readonly content?: readonly PushRule[];
  readonly override?: readonly PushRule[];
  readonly room?: readonly PushRule[];
  readonly sender?: readonly PushRule[];
  readonly underride?: readonly PushRule[];
};
export type RelationsResponse = {
  readonly next_batch?: string;
  readonly prev_batch?: string;
  readonly recursion_depth?: number;
};
export type RequestEmailValidation = DefinitionsRequestEmailValidation & {
  readonly id_server?: string;
  readonly id_access_token?: string;
};
export type RequestMsisdnValidation = DefinitionsRequestMsisdnValidation & {
  readonly id_server?: string;
  readonly id_access_token?: string;
};
export type RequestTokenResponse = { readonly sid: string; readonly submit_url?: string };
export type RoomEvent = SyncRoomEvent & { readonly room_id: string };
export type RoomEventFilter = EventFilter & {
  readonly unread_thread_notifications?: boolean;
  readonly lazy_load_members?: boolean;
  readonly include_redundant_members?: boolean;
  readonly not_rooms?: readonly string[];
  readonly rooms?: readonly string[];
  readonly contains_url?: boolean;
};
export type RoomKeyBackup = { readonly sessions: { readonly [name: string]: KeyBackupData | undefined } };
export type RoomSummary = PublicRoomsChunk & {
  readonly room_type?: string;
  readonly allowed_room_ids?: readonly string[];
  readonly encryption?: 'm.megolm.v1.aes-sha2';
  readonly room_version?: string;
};
export type StateEvent = RoomEvent & SyncStateEvent;
export type StateEventBatch = { readonly events?: readonly ClientEventWithoutRoomId[] };
export type StrippedState = {
  readonly content: JsonObject;
  readonly state_key: string;
  readonly type: string;
  readonly sender: string;
};
export type SyncFilter = {
  readonly event_fields?: readonly string[];
  readonly event_format?: 'client' | 'federation';
  readonly presence?: EventFilter;
  readonly account_data?: EventFilter;
  readonly room?: {
    readonly not_rooms?: readonly string[];
    readonly rooms?: readonly string[];
    readonly ephemeral?: RoomEventFilter;
    readonly include_leave?: boolean;
    readonly state?: RoomEventFilter;
    readonly timeline?: RoomEventFilter;
    readonly account_data?: RoomEventFilter;
  };
};
export type SyncRoomEvent = Event & {
  readonly event_id: string;
  readonly sender: string;
  readonly origin_server_ts: number;
  readonly unsigned?: UnsignedProp;
};
export type SyncStateEvent = SyncRoomEvent & { readonly state_key: string };
export type Tag = { readonly order?: number };
export type ThirdPartySigned = {
  readonly sender: string;
  readonly mxid: string;
  readonly token: string;
  readonly signatures: { readonly [name: string]: { readonly [name: string]: string | undefined } | undefined };
};
export type TimelineBatch = {
  readonly limited?: boolean;
  readonly prev_batch?: string;
  readonly events: readonly ClientEventWithoutRoomId[];
};
export type UnsignedProp = { readonly age?: number };
export type User = { readonly userid: string; readonly protocol: string; readonly fields: JsonObject };
export type UserBatch = readonly User[];
export type UserIdentifier = { readonly type: string } & JsonObject;
