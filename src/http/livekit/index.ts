/** The service that gives out LiveKit tokens, at the paths and in the shapes that clients know. */
import { delegateLeave } from './delegate-leave.ts';
import { getToken } from './get-token.ts';
import { healthz } from './healthz.ts';
import { sfuGet } from './sfu-get.ts';
import { sfuWebhook } from './sfu-webhook.ts';

export const livekitEndpoints = [delegateLeave, getToken, healthz, sfuGet, sfuWebhook];
