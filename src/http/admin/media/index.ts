import { deleteMedia } from './delete-media.ts';
import { deleteUnusedMedia } from './delete-unused-media.ts';
import { deleteUnusedMediaOfServer } from './delete-unused-media-of-server.ts';
import { deleteUserMedia } from './delete-user-media.ts';
import { getMediaInfo } from './get-media-info.ts';
import { getMediaTotals } from './get-media-totals.ts';
import { getUserMediaStatistics } from './get-user-media-statistics.ts';
import { listMalware } from './list-malware.ts';
import { listRoomMedia } from './list-room-media.ts';
import { listUserMedia } from './list-user-media.ts';
import { protectMedia } from './protect-media.ts';
import { purgeMediaCache } from './purge-media-cache.ts';
import { quarantineMedia } from './quarantine-media.ts';
import { quarantineRoomMedia } from './quarantine-room-media.ts';
import { quarantineUserMedia } from './quarantine-user-media.ts';
import { unprotectMedia } from './unprotect-media.ts';
import { unquarantineMedia } from './unquarantine-media.ts';

export const adminMediaEndpoints = [
  deleteMedia,
  deleteUnusedMedia,
  deleteUnusedMediaOfServer,
  deleteUserMedia,
  getMediaInfo,
  getMediaTotals,
  getUserMediaStatistics,
  listMalware,
  listRoomMedia,
  listUserMedia,
  protectMedia,
  purgeMediaCache,
  quarantineMedia,
  quarantineRoomMedia,
  quarantineUserMedia,
  unprotectMedia,
  unquarantineMedia,
];
