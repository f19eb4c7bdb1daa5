/** Aliases and the published room directory. */
import { deleteRoomAlias } from './delete-room-alias.ts';
import { getLocalAliases } from './get-local-aliases.ts';
import { getRoomIdByAlias } from './get-room-id-by-alias.ts';
import { setRoomAlias } from './set-room-alias.ts';

export const directoryEndpoints = [deleteRoomAlias, getLocalAliases, getRoomIdByAlias, setRoomAlias];
