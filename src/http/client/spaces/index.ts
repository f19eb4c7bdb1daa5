/** Finding rooms by other rooms and by other people. */
import { getMutualRooms } from './get-mutual-rooms.ts';
import { getRoomSummary } from './get-room-summary.ts';
import { getSpaceHierarchy } from './get-space-hierarchy.ts';
import { getUnstableMutualRooms } from './get-unstable-mutual-rooms.ts';

export const spaceEndpoints = [getMutualRooms, getRoomSummary, getSpaceHierarchy, getUnstableMutualRooms];
