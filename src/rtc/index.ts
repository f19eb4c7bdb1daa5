/** Calls: TURN credentials, and what MatrixRTC needs of a server. */
import type { UserId } from '../matrix/ids/ids.ts';
import { notFound } from '../matrix/errors.ts';
import type { JsonObject } from '../matrix/json/json-value.ts';
import type { Config } from '../platform/config/config.ts';
import type { LocalServers } from '../platform/local-servers.ts';
import type { Clock, OutgoingHttp, Timers } from '../platform/ports.ts';
import type { Database } from '../storage/database.ts';
import { CallLeaves } from './call-leaves.ts';
import { Livekit } from './livekit.ts';
import { LivekitApi } from './livekit-api.ts';
import { livekitSettings, rtcTransports } from './livekit-settings.ts';
import type { Callers, LeaveEvents } from './ports.ts';
import { turnCredentials } from './turn-credentials.ts';

export type Rtc = ReturnType<typeof createRtc>;

export interface RtcDependencies {
  readonly db: Database;
  readonly config: Pick<Config, 'turn' | 'livekit' | 'publicBaseUrl'>;
  readonly callers: Callers;
  readonly events: LeaveEvents;
  readonly localServers: LocalServers;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly http: OutgoingHttp;
  /** Told of what failed in the background. */
  readonly onFailed: (error: unknown) => void;
}

export function createRtc({ config, http, ...common }: RtcDependencies) {
  const settings = livekitSettings(config);
  const api = settings && new LivekitApi(settings, http, common.clock);
  const leaves = api && new CallLeaves({ ...common, api });
  const livekit = settings && api && leaves && new Livekit({ ...common, settings, api, leaves });
  return {
    turnCredentials: (user: { readonly userId: UserId; readonly isGuest: boolean }): JsonObject =>
      turnCredentials(config.turn, user, common.clock.nowMs()),
    transports: rtcTransports(config),
    /** Throws M_NOT_FOUND where none is configured. */
    livekit(): Livekit {
      if (livekit === undefined) throw notFound('This server has no LiveKit');
      return livekit;
    },
    /** Goes on with what was done before a restart. */
    start: async (): Promise<void> => leaves?.start(),
    close: (): void => leaves?.close(),
  };
}
