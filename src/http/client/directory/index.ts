/** Aliases and the published room directory. */
import { deleteRoomAlias } from './delete-room-alias.ts';
import { getLocalAliases } from './get-local-aliases.ts';
import { getPublicRooms } from './get-public-rooms.ts';
import { getRoomIdByAlias } from './get-room-id-by-alias.ts';
import { getRoomVisibilityOnDirectory } from './get-room-visibility-on-directory.ts';
import { queryPublicRooms } from './query-public-rooms.ts';
import { setRoomAlias } from './set-room-alias.ts';
import { setRoomVisibilityOnDirectory } from './set-room-visibility-on-directory.ts';

export const directoryEndpoints = [
  deleteRoomAlias,
  getLocalAliases,
  getPublicRooms,
  getRoomIdByAlias,
  getRoomVisibilityOnDirectory,
  queryPublicRooms,
  setRoomAlias,
  setRoomVisibilityOnDirectory,
];
