/** What encryption needs of other servers. The composition root hands the implementation over. */
import type { ServerName, UserId } from '../matrix/ids/ids.ts';
import type { JsonObject } from '../matrix/json/json-value.ts';
import type { UnitBuilder } from '../storage/database.ts';

/**
 * Keys of users of other servers; `federation` implements it. Answers are whole numbers, texts and so on, otherwise as they came:
 * nothing in them may be believed. undefined: there was no answer in time, or none that can be used.
 */
export interface RemoteKeys {
  /** `deviceKeys`: as in the request. https://spec.matrix.org/v1.19/server-server-api/#post_matrixfederationv1userkeysquery */
  query(server: ServerName, deviceKeys: JsonObject, timeoutMs: number): Promise<JsonObject | undefined>;
  /** `oneTimeKeys`: as in the request. https://spec.matrix.org/v1.19/server-server-api/#post_matrixfederationv1userkeysclaim */
  claim(server: ServerName, oneTimeKeys: JsonObject, timeoutMs: number): Promise<JsonObject | undefined>;
  /** Of the user's own server. https://spec.matrix.org/v1.19/server-server-api/#get_matrixfederationv1userdevicesuserid */
  devices(userId: UserId, timeoutMs: number): Promise<JsonObject | undefined>;
}

/** Which servers are not to be asked anything for a while; `federation` implements it. */
export interface ServersBackingOff {
  /** In how many milliseconds the server may be asked again what nobody waits for; 0: now. */
  retryInMs(server: ServerName): number;
}

/** What other servers are told beside events; `federation` implements it. */
export interface OutgoingEdus {
  /** Part of a unit: each of the servers is sent it once the unit is committed, and again until it has it. Without federation, nobody is. */
  enqueue(unit: UnitBuilder, serverNids: readonly number[], edu: OutgoingEdu): void;
}
/** What other servers are told of our users' keys; `federation` implements it. Parts of units, after the user's device_change. */
export interface OutgoingDeviceLists {
  devicesChanged(unit: UnitBuilder, userNid: number, deviceIds: readonly string[]): void;
  signingKeysChanged(unit: UnitBuilder, userNid: number): void;
  /** Servers that share a room with the user newly. `deviceId`: any of the user's. */
  introduce(unit: UnitBuilder, userNid: number, deviceId: string, serverNids: readonly number[]): void;
}

export interface OutgoingEdu {
  readonly type: string;
  readonly content: JsonObject;
  /** It says all that earlier ones with the same value said. */
  readonly replaces?: string;
}
