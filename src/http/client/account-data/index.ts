import { deleteAccountDataPerRoom } from './delete-account-data-per-room.ts';
import { deleteAccountData } from './delete-account-data.ts';
import { deleteRoomTag } from './delete-room-tag.ts';
import { getAccountDataPerRoom } from './get-account-data-per-room.ts';
import { getAccountData } from './get-account-data.ts';
import { getRoomTags } from './get-room-tags.ts';
import { setAccountDataPerRoom } from './set-account-data-per-room.ts';
import { setAccountData } from './set-account-data.ts';
import { setRoomTag } from './set-room-tag.ts';

export const accountDataEndpoints = [
  setAccountData,
  getAccountData,
  setAccountDataPerRoom,
  getAccountDataPerRoom,
  deleteAccountData,
  deleteAccountDataPerRoom,
  getRoomTags,
  setRoomTag,
  deleteRoomTag,
];
