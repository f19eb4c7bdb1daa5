import { expect, test } from 'vitest';
import { allEndpoints } from '../../src/http/all-endpoints.ts';
import { unservedOperations } from './compare-operations.ts';

/** https://spec.matrix.org/v1.19/client-server-api/#guest-access */
const ofGuests = (
  'getRoomState getEventContext getOneRoomEvent getRoomStateWithKey getRoomEvents getMembersByRoom ' +
  'roomInitialSync sync getEvents getContentAuthed getContentOverrideNameAuthed getContentThumbnailAuthed ' +
  'joinRoomById leaveRoom sendMessage setRoomStateWithKey sendToDevice setProfileField ' +
  'deleteProfileField getDevices getDevice updateDevice getTokenOwner uploadKeys ' +
  'queryKeys claimKeys'
).split(' ');

test('guests may do what the specification lists, and nothing else', () => {
  const open = allEndpoints.filter(({ allowGuests }) => allowGuests === true).map(({ operationId }) => operationId);
  const unserved = unservedOperations(allEndpoints)
    .filter((line) => line.startsWith('client-server '))
    .join('\n');
  const expected = ofGuests.filter((name) => !unserved.includes(` ${name}:`));
  expect(open.toSorted()).toEqual(expected.toSorted());
});
