/** What MatrixRTC needs of a server. */
import { delegateDelayedLeave } from './delegate-delayed-leave.ts';
import { getLivekitToken } from './get-livekit-token.ts';
import { getRtcTransports } from './get-rtc-transports.ts';

export const rtcEndpoints = [delegateDelayedLeave, getLivekitToken, getRtcTransports];
