import { backfillRoom } from './backfill-room.ts';
import { exchangeOpenIdToken } from './exchange-open-id-token.ts';
import { getEvent } from './get-event.ts';
import { getEventAuth } from './get-event-auth.ts';
import { getEventByTimestamp } from './get-event-by-timestamp.ts';
import { getMissingPreviousEvents } from './get-missing-previous-events.ts';
import { getRoomState } from './get-room-state.ts';
import { getRoomStateIds } from './get-room-state-ids.ts';
import { getRemoteSpaceHierarchy } from './get-space-hierarchy.ts';
import { getVersion } from './get-version.ts';
import { userKeyEndpoints } from './keys/index.ts';
import { federationMediaEndpoints } from './media/index.ts';
import { membershipEndpoints } from './membership/index.ts';
import { queryEndpoints } from './query/index.ts';
import { sendTransaction } from './send-transaction.ts';

export const federationEndpoints = [
  backfillRoom,
  exchangeOpenIdToken,
  getEvent,
  getEventAuth,
  getEventByTimestamp,
  getMissingPreviousEvents,
  getRoomState,
  getRemoteSpaceHierarchy,
  getRoomStateIds,
  getVersion,
  sendTransaction,
  ...federationMediaEndpoints,
  ...membershipEndpoints,
  ...queryEndpoints,
  ...userKeyEndpoints,
];
