/** What changes of accounts tell those who follow the stream. */
import type { UserId } from '../matrix/ids/ids.ts';
import type { JsonObject } from '../matrix/json/json-value.ts';
import type { Requester } from './requester.ts';

export type DeviceChange = 'added' | 'removed' | 'renamed';

declare module '../storage/database.ts' {
  interface WakeKinds {
    /** Account data changed, room 0: the global one. The rows with this position tell which type; push rules are of room 0 too. */
    'account-data': { readonly userNid: number; readonly room: number; readonly pos: number };
    /** The push rules of a user changed: what is derived from them is out of date. */
    'push-rules': { readonly userNid: number };
    /** A device came, went or was renamed. */
    device: {
      readonly userNid: number;
      readonly deviceId: string;
      readonly pos: number;
      readonly change: DeviceChange;
    };
    /** The access token of a new account, with what `accounts/access-tokens.ts` would read of it. */
    session: {
      readonly requester: Requester;
      readonly expiresTs: number | undefined;
      readonly accountExpiresTs: number | undefined;
    };
    /** What others see of the keys of a user and of their devices changed. */
    'device-list': { readonly userNid: number; readonly pos: number };
    /** `member`: displayname and avatar_url as they are now. */
    profile: { readonly userNid: number; readonly pos: number; readonly member: JsonObject };
    /** What the user's access tokens are worth changed: logged out, locked, made an administrator, and so on. */
    access: { readonly userNid: number };
    /** What the user sent before the position is erased for newcomers; undefined: no longer. */
    erasure: { readonly userId: UserId; readonly since: number | undefined };
    /** An address is no longer the account's: what was sent there, such as notifications, no longer may be. */
    'threepid-removed': { readonly userNid: number; readonly medium: string; readonly address: string };
    /** The account was deactivated or came back. */
    account: { readonly userNid: number; readonly isActive: boolean };
  }
}
