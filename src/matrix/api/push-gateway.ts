/**
 * Request and successful response bodies of the push-gateway API, by operationId.
 * Generated from the definitions of the Matrix specification v1.19 (matrix-org/matrix-spec b9c3d5ed3b0b46b2b025b4a427119036bc9ed71a,
 * Apache-2.0) by `npm run generate:api`. Do not edit: corrections go to corrections.ts.
 */
import type { JsonObject } from '../json/json-value.ts';

export type NotifyRequest = {
  readonly notification: {
    readonly event_id?: string;
    readonly room_id?: string;
    readonly type?: string;
    readonly sender?: string;
    readonly sender_display_name?: string;
    readonly room_name?: string;
    readonly room_alias?: string;
    readonly user_is_target?: boolean;
    readonly prio?: 'high' | 'low';
    readonly content?: JsonObject;
    readonly counts?: { readonly unread?: number; readonly missed_calls?: number };
    readonly devices: readonly {
      readonly app_id: string;
      readonly pushkey: string;
      readonly pushkey_ts?: number;
      readonly data?: { readonly format?: string };
      readonly tweaks?: JsonObject;
    }[];
  };
};
export type NotifyResponse = { readonly rejected: readonly string[] };
