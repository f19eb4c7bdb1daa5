/**
 * The content of every event that the specification defines.
 * Generated from the definitions of the Matrix specification v1.19 (matrix-org/matrix-spec b9c3d5ed3b0b46b2b025b4a427119036bc9ed71a,
 * Apache-2.0) by `npm run generate:api`. Do not edit: corrections go to corrections.ts.
 */
import type { JsonObject } from '../json/json-value.ts';

/** Event type → content. Events come from anybody: content is what its type says only after it was checked. */
export interface EventContent {
  readonly 'm.accepted_terms': { readonly accepted?: readonly string[] };
  readonly 'm.call.answer': CallEvent & {
    readonly answer: { readonly type: 'answer'; readonly sdp: string };
    readonly sdp_stream_metadata?: SdpStreamMetadata;
  };
  readonly 'm.call.candidates': CallEvent & {
    readonly candidates: readonly {
      readonly sdpMid?: string;
      readonly sdpMLineIndex?: number;
      readonly candidate: string;
    }[];
  };
  readonly 'm.call.hangup': CallEvent & {
    readonly reason:
      | 'ice_timeout'
      | 'ice_failed'
      | 'invite_timeout'
      | 'user_hangup'
      | 'user_media_failed'
      | 'user_busy'
      | 'unknown_error';
  };
  readonly 'm.call.invite': CallEvent & {
    readonly offer: { readonly type: 'offer'; readonly sdp: string };
    readonly lifetime: number;
    readonly invitee?: string;
    readonly sdp_stream_metadata?: SdpStreamMetadata;
  };
  readonly 'm.call.negotiate': CallEvent & {
    readonly description: { readonly type: 'offer' | 'answer'; readonly sdp: string };
    readonly lifetime: number;
    readonly sdp_stream_metadata?: SdpStreamMetadata;
  };
  readonly 'm.call.reject': CallEvent;
  readonly 'm.call.sdp_stream_metadata_changed': CallEvent & { readonly sdp_stream_metadata: SdpStreamMetadata };
  readonly 'm.call.select_answer': CallEvent & { readonly selected_party_id: string };
  readonly 'm.direct': { readonly [name: string]: readonly string[] | undefined };
  readonly 'm.dummy': JsonObject;
  readonly 'm.forwarded_room_key': {
    readonly algorithm: string;
    readonly room_id: string;
    readonly sender_key: string;
    readonly session_id: string;
    readonly session_key: string;
    readonly sender_claimed_ed25519_key: string;
    readonly forwarding_curve25519_key_chain: readonly string[];
    readonly withheld?: JsonObject;
  };
  readonly 'm.fully_read': { readonly event_id: string };
  readonly 'm.identity_server': { readonly base_url?: string | null };
  readonly 'm.ignored_user_list': { readonly ignored_users: { readonly [name: string]: JsonObject | undefined } };
  readonly 'm.image_pack.rooms': {
    readonly rooms: { readonly [name: string]: { readonly [name: string]: JsonObject | undefined } | undefined };
  };
  readonly 'm.key.verification.accept': {
    readonly transaction_id?: string;
    readonly key_agreement_protocol: string;
    readonly hash: string;
    readonly message_authentication_code: string;
    readonly short_authentication_string: readonly ('decimal' | 'emoji')[];
    readonly commitment: string;
    readonly 'm.relates_to'?: MKeyVerificationMRelatesTo;
  };
  readonly 'm.key.verification.cancel': {
    readonly transaction_id?: string;
    readonly reason: string;
    readonly code: string;
    readonly 'm.relates_to'?: MKeyVerificationMRelatesTo;
  };
  readonly 'm.key.verification.done': {
    readonly transaction_id?: string;
    readonly 'm.relates_to'?: MKeyVerificationMRelatesTo;
  };
  readonly 'm.key.verification.key': {
    readonly transaction_id?: string;
    readonly key: string;
    readonly 'm.relates_to'?: MKeyVerificationMRelatesTo;
  };
  readonly 'm.key.verification.mac': {
    readonly transaction_id?: string;
    readonly mac: { readonly [name: string]: string | undefined };
    readonly keys: string;
    readonly 'm.relates_to'?: MKeyVerificationMRelatesTo;
  };
  readonly 'm.key.verification.ready': {
    readonly from_device: string;
    readonly transaction_id?: string;
    readonly methods: readonly string[];
    readonly 'm.relates_to'?: MKeyVerificationMRelatesTo;
  };
  readonly 'm.key.verification.request': {
    readonly from_device: string;
    readonly transaction_id?: string;
    readonly methods: readonly string[];
    readonly timestamp?: number;
  };
  readonly 'm.key.verification.start':
    | {
        readonly from_device: string;
        readonly transaction_id?: string;
        readonly method: 'm.reciprocate.v1';
        readonly secret: string;
        readonly 'm.relates_to'?: MKeyVerificationMRelatesTo;
      }
    | {
        readonly from_device: string;
        readonly transaction_id?: string;
        readonly method: 'm.sas.v1';
        readonly key_agreement_protocols: readonly string[];
        readonly hashes: readonly string[];
        readonly message_authentication_codes: readonly string[];
        readonly short_authentication_string: readonly ('decimal' | 'emoji')[];
        readonly 'm.relates_to'?: MKeyVerificationMRelatesTo;
      }
    | {
        readonly from_device: string;
        readonly transaction_id?: string;
        readonly method: string;
        readonly next_method?: string;
        readonly 'm.relates_to'?: MKeyVerificationMRelatesTo;
      };
  readonly 'm.key_backup': { readonly enabled: boolean };
  readonly 'm.marked_unread': { readonly unread: boolean };
  readonly 'm.policy.rule.room': ModerationPolicyRule;
  readonly 'm.policy.rule.server': ModerationPolicyRule;
  readonly 'm.policy.rule.user': ModerationPolicyRule;
  readonly 'm.presence': {
    readonly avatar_url?: string;
    readonly displayname?: string;
    readonly last_active_ago?: number;
    readonly presence: 'online' | 'offline' | 'unavailable';
    readonly currently_active?: boolean;
    readonly status_msg?: string;
  };
  readonly 'm.push_rules': { readonly global?: PushRuleset };
  readonly 'm.reaction': {
    readonly 'm.relates_to'?: { readonly rel_type?: 'm.annotation'; readonly event_id?: string; readonly key?: string };
  };
  readonly 'm.receipt': {
    readonly [name: string]:
      | {
          readonly 'm.read'?: {
            readonly [name: string]: { readonly ts?: number; readonly thread_id?: string } | undefined;
          };
          readonly 'm.read.private'?: {
            readonly [name: string]: { readonly ts?: number; readonly thread_id?: string } | undefined;
          };
        }
      | undefined;
  };
  readonly 'm.recent_emoji': { readonly recent_emoji: readonly RecentEmoji[] };
  readonly 'm.room.avatar': { readonly info?: AvatarInfo; readonly url?: string };
  readonly 'm.room.canonical_alias': { readonly alias?: string; readonly alt_aliases?: readonly string[] };
  readonly 'm.room.create': {
    readonly creator?: string;
    readonly 'm.federate'?: boolean;
    readonly room_version?: string;
    readonly type?: string;
    readonly predecessor?: { readonly room_id: string; readonly event_id?: string };
    readonly additional_creators?: readonly string[];
  };
  readonly 'm.room.encrypted': {
    readonly algorithm: 'm.olm.v1.curve25519-aes-sha2' | 'm.megolm.v1.aes-sha2';
    readonly ciphertext:
      string | { readonly [name: string]: { readonly body?: string; readonly type?: number } | undefined };
    readonly sender_key?: string;
    readonly device_id?: string;
    readonly session_id?: string;
  };
  readonly 'm.room.encryption': {
    readonly algorithm: 'm.megolm.v1.aes-sha2';
    readonly rotation_period_ms?: number;
    readonly rotation_period_msgs?: number;
  };
  readonly 'm.room.guest_access': { readonly guest_access: 'can_join' | 'forbidden' };
  readonly 'm.room.history_visibility': {
    readonly history_visibility: 'invited' | 'joined' | 'shared' | 'world_readable';
  };
  readonly 'm.room.image_pack': {
    readonly images: {
      readonly [name: string]: { readonly url: string; readonly body?: string; readonly info?: ImageInfo } | undefined;
    };
    readonly pack?: {
      readonly display_name?: string;
      readonly avatar_url?: string;
      readonly usage?: readonly ('emoticon' | 'sticker')[];
      readonly attribution?: string;
    };
  };
  readonly 'm.room.join_rules': {
    readonly join_rule: 'public' | 'knock' | 'invite' | 'private' | 'restricted' | 'knock_restricted';
    readonly allow?: readonly { readonly type: 'm.room_membership'; readonly room_id?: string }[];
  };
  readonly 'm.room.member': {
    readonly avatar_url?: string;
    readonly displayname?: string | null;
    readonly membership: 'invite' | 'join' | 'knock' | 'leave' | 'ban';
    readonly is_direct?: boolean;
    readonly join_authorised_via_users_server?: string;
    readonly reason?: string;
    readonly third_party_invite?: { readonly display_name: string; readonly signed: SignedThirdPartyInvite };
  };
  readonly 'm.room.message':
    | {
        readonly body: string;
        readonly format?: string;
        readonly formatted_body?: string;
        readonly filename?: string;
        readonly info?: { readonly duration?: number; readonly mimetype?: string; readonly size?: number };
        readonly msgtype: 'm.audio';
        readonly url?: string;
        readonly file?: JsonObject;
      }
    | { readonly body: string; readonly msgtype: 'm.emote'; readonly format?: string; readonly formatted_body?: string }
    | {
        readonly body: string;
        readonly format?: string;
        readonly formatted_body?: string;
        readonly filename?: string;
        readonly info?: {
          readonly mimetype?: string;
          readonly size?: number;
          readonly thumbnail_url?: string;
          readonly thumbnail_file?: JsonObject;
          readonly thumbnail_info?: ThumbnailInfo;
        };
        readonly msgtype: 'm.file';
        readonly url?: string;
        readonly file?: JsonObject;
      }
    | {
        readonly body: string;
        readonly format?: string;
        readonly formatted_body?: string;
        readonly filename?: string;
        readonly info?: ImageInfo;
        readonly msgtype: 'm.image';
        readonly url?: string;
        readonly file?: JsonObject;
      }
    | {
        readonly body?: string;
        readonly format?: string;
        readonly formatted_body?: string;
        readonly from_device: string;
        readonly methods: readonly string[];
        readonly to: string;
        readonly msgtype: 'm.key.verification.request';
      }
    | {
        readonly body: string;
        readonly geo_uri: string;
        readonly msgtype: 'm.location';
        readonly info?: {
          readonly thumbnail_url?: string;
          readonly thumbnail_file?: JsonObject;
          readonly thumbnail_info?: ThumbnailInfo;
        };
      }
    | {
        readonly body: string;
        readonly msgtype: 'm.notice';
        readonly format?: string;
        readonly formatted_body?: string;
      }
    | {
        readonly body: string;
        readonly msgtype: 'm.server_notice';
        readonly server_notice_type: string;
        readonly admin_contact?: string;
        readonly limit_type?: string;
      }
    | { readonly body: string; readonly msgtype: 'm.text'; readonly format?: string; readonly formatted_body?: string }
    | {
        readonly body: string;
        readonly format?: string;
        readonly formatted_body?: string;
        readonly filename?: string;
        readonly info?: {
          readonly duration?: number;
          readonly h?: number;
          readonly w?: number;
          readonly mimetype?: string;
          readonly size?: number;
          readonly thumbnail_url?: string;
          readonly thumbnail_file?: JsonObject;
          readonly thumbnail_info?: ThumbnailInfo;
        };
        readonly msgtype: 'm.video';
        readonly url?: string;
        readonly file?: JsonObject;
      }
    | { readonly body: string; readonly msgtype: string };
  readonly 'm.room.name': { readonly name: string };
  readonly 'm.room.pinned_events': { readonly pinned: readonly string[] };
  readonly 'm.room.policy': { readonly via: string; readonly public_keys: { readonly ed25519: string } & JsonObject };
  readonly 'm.room.power_levels': {
    readonly ban?: number;
    readonly events?: { readonly [name: string]: number | undefined };
    readonly events_default?: number;
    readonly invite?: number;
    readonly kick?: number;
    readonly redact?: number;
    readonly state_default?: number;
    readonly users?: { readonly [name: string]: number | undefined };
    readonly users_default?: number;
    readonly notifications?: { readonly room?: number } & JsonObject;
  };
  readonly 'm.room.redaction': { readonly redacts?: string; readonly reason?: string };
  readonly 'm.room.server_acl': {
    readonly allow_ip_literals?: boolean;
    readonly allow?: readonly string[];
    readonly deny?: readonly string[];
  };
  readonly 'm.room.third_party_invite': {
    readonly display_name: string;
    readonly key_validity_url: string;
    readonly public_key: string;
    readonly public_keys?: readonly { readonly key_validity_url?: string; readonly public_key: string }[];
  };
  readonly 'm.room.tombstone': { readonly body: string; readonly replacement_room: string };
  readonly 'm.room.topic': { readonly topic: string; readonly 'm.topic'?: { readonly 'm.text'?: MTextContentBlock } };
  readonly 'm.room_key.withheld': RoomKeyWithheldContent;
  readonly 'm.room_key': {
    readonly algorithm: 'm.megolm.v1.aes-sha2';
    readonly room_id: string;
    readonly session_id: string;
    readonly session_key: string;
    readonly shared_history?: boolean;
  };
  readonly 'm.room_key_bundle': { readonly room_id: string; readonly file: JsonObject };
  readonly 'm.room_key_request': {
    readonly body?: {
      readonly algorithm: string;
      readonly room_id: string;
      readonly sender_key?: string;
      readonly session_id: string;
    };
    readonly action: 'request' | 'request_cancellation';
    readonly requesting_device_id: string;
    readonly request_id: string;
  };
  readonly 'm.secret.request': {
    readonly name?: string;
    readonly action: 'request' | 'request_cancellation';
    readonly requesting_device_id: string;
    readonly request_id: string;
  };
  readonly 'm.secret.send': { readonly request_id: string; readonly secret: string };
  readonly 'm.space.child': { readonly via: readonly string[]; readonly order?: string; readonly suggested?: boolean };
  readonly 'm.space.parent': { readonly via: readonly string[]; readonly canonical?: boolean };
  readonly 'm.sticker': { readonly body: string; readonly info: ImageInfo; readonly url: string };
  readonly 'm.tag': { readonly tags?: { readonly [name: string]: Tag | undefined } };
  readonly 'm.typing': { readonly user_ids: readonly string[] };
}
export type AvatarInfo = {
  readonly h?: number;
  readonly w?: number;
  readonly mimetype?: string;
  readonly size?: number;
  readonly thumbnail_url?: string;
  readonly thumbnail_info?: ThumbnailInfo;
};
export type CallEvent = { readonly call_id: string; readonly version: string; readonly party_id: string };
export type ImageInfo = {
  readonly h?: number;
  readonly w?: number;
  readonly mimetype?: string;
  readonly size?: number;
  readonly thumbnail_url?: string;
  readonly thumbnail_file?: JsonObject;
  readonly thumbnail_info?: ThumbnailInfo;
  readonly is_animated?: boolean;
};
export type MKeyVerificationMRelatesTo = { readonly rel_type?: 'm.reference'; readonly event_id?: string };
export type MTextContentBlock = readonly { readonly mimetype?: string; readonly body: string }[];
export type ModerationPolicyRule = {
  readonly entity: string;
  readonly recommendation: string;
  readonly reason: string;
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
export type RecentEmoji = { readonly emoji: string; readonly total: number };
export type RoomKeyWithheldContent = {
  readonly algorithm: 'm.megolm.v1.aes-sha2';
  readonly room_id?: string;
  readonly session_id?: string;
  readonly sender_key: string;
  readonly code:
    'm.blacklisted' | 'm.unverified' | 'm.unauthorised' | 'm.unavailable' | 'm.no_olm' | 'm.history_not_shared';
  readonly reason?: string;
};
export type SdpStreamMetadata = {
  readonly [name: string]:
    | {
        readonly purpose: 'm.usermedia' | 'm.screenshare';
        readonly audio_muted?: boolean;
        readonly video_muted?: boolean;
      }
    | undefined;
};
export type SignedThirdPartyInvite = {
  readonly mxid: string;
  readonly signatures: { readonly [name: string]: { readonly [name: string]: string | undefined } | undefined };
  readonly token: string;
};
export type Tag = { readonly order?: number };
export type ThumbnailInfo = {
  readonly h?: number;
  readonly w?: number;
  readonly mimetype?: string;
  readonly size?: number;
};
