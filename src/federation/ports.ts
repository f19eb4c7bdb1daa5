/** What federation needs of parts that it must not import. The composition root hands the implementations over. */
import type { ServerName, UserId } from '../matrix/ids/ids.ts';
import type { JsonObject } from '../matrix/json/json-value.ts';

/** Accounts of this server; `accounts` implements it. */
export interface LocalUsers {
  /** Whether there is such an account, and it is not deactivated. */
  isActive(userId: UserId): Promise<boolean>;
}

/** Messages to devices; `encryption` implements it. */
export interface DeviceMessages {
  /** Contents of m.direct_to_device, with exact numbers, in their order: on disk when it resolves, once each. */
  receiveToDevice(origin: ServerName, contents: readonly JsonObject[]): Promise<void>;
}
