/** What federation needs of parts that it must not import. The composition root hands the implementations over. */
import type { ServerName, UserId } from '../matrix/ids/ids.ts';
import type { JsonObject } from '../matrix/json/json-value.ts';

/** Accounts of this server; `accounts` implements it. */
export interface LocalUsers {
  /** Whether there is such an account, and it is not deactivated. */
  isActive(userId: UserId): Promise<boolean>;
}

/** Keys of users of other servers; `encryption` implements it. */
export interface DeviceLists {
  /** Contents of EDUs with exact numbers, in their order: on disk when it resolves. */
  receiveDeviceLists(origin: ServerName, contents: readonly JsonObject[]): Promise<void>;
  receiveSigningKeys(origin: ServerName, contents: readonly JsonObject[]): Promise<void>;
  /** The server can be reached again. */
  serverReturned(server: ServerName, failedForMs: number): void;
  /** Goes on with what was to be asked for when the server ended. To be called once. */
  start(): Promise<void>;
}

/** Messages to devices; `encryption` implements it. */
export interface DeviceMessages {
  /** Contents of m.direct_to_device, with exact numbers, in their order: on disk when it resolves, once each. */
  receiveToDevice(origin: ServerName, contents: readonly JsonObject[]): Promise<void>;
}
