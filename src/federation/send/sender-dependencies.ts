import type { UserId } from '../../matrix/ids/ids.ts';
import type { JsonObject } from '../../matrix/json/json-value.ts';
import type { Logger } from '../../platform/log.ts';
import type { Metrics } from '../../platform/metrics.ts';
import type { Timers } from '../../platform/ports.ts';
import type { RoomsContext } from '../../rooms/context.ts';
import type { FederationClient } from '../contract.ts';
import type { BackingOff } from './destination-parts.ts';

export interface SenderDependencies {
  readonly rooms: RoomsContext;
  readonly timers: Timers;
  readonly client: Pick<FederationClient, 'request'>;
  readonly health: BackingOff;
  readonly typing: TypingUsers;
  readonly presence: PresenceContents;
  readonly deviceKeys: KeyContents;
  readonly metrics: Metrics;
  readonly log: Logger;
  /** Told of work in the background that failed. */
  readonly onFailed: (error: unknown) => void;
}

/** `rooms` implements it. */
export interface TypingUsers {
  /** Who types now. */
  current(room: number): readonly UserId[];
}
/** `presence` implements it. */
export interface PresenceContents {
  /** As it is at this moment: the content of `m.presence`, without the user's id. */
  contentOf(userNid: number): JsonObject;
  /** Whether there is anything to tell of them: they are not offline. */
  isPresent(userNid: number): boolean;
  /** Users of this server of whom there is, at most so many. */
  presentUsers(max: number): readonly number[];
}
/** `encryption` implements it. */
export interface KeyContents {
  /**
   * The content of an EDU about a user's device as it is at this moment.
   * https://spec.matrix.org/v1.19/server-server-api/#definition-mdevice_list_update
   */
  deviceListUpdate(
    userNid: number,
    update: { readonly deviceId: string; readonly streamId: number; readonly prevId: number | undefined },
  ): Promise<JsonObject>;
  /** https://spec.matrix.org/v1.19/server-server-api/#definition-msigning_key_update */
  signingKeyUpdate(userNid: number): Promise<JsonObject>;
}
