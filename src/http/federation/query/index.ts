/** What other servers ask about. https://spec.matrix.org/v1.19/server-server-api/#querying-for-information */
import { getPublicRooms } from './get-public-rooms.ts';
import { queryInfo } from './query-info.ts';
import { queryProfile } from './query-profile.ts';
import { queryPublicRooms } from './query-public-rooms.ts';
import { queryRoomDirectory } from './query-room-directory.ts';

export const queryEndpoints = [getPublicRooms, queryInfo, queryProfile, queryPublicRooms, queryRoomDirectory];
