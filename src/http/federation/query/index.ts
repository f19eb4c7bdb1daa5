/** What other servers ask about. https://spec.matrix.org/v1.19/server-server-api/#querying-for-information */
import { queryInfo } from './query-info.ts';
import { queryProfile } from './query-profile.ts';
import { queryRoomDirectory } from './query-room-directory.ts';

export const queryEndpoints = [queryInfo, queryProfile, queryRoomDirectory];
