/** What the generated requests of bad-input.spec.ts cannot know of single operations, each with its reason. */

/** Errcodes that the specification's prose names for an operation, or that are fit where it names none. */
export const furtherErrcodes: Readonly<Record<string, readonly string[]>> = {
  // A room that cannot be made with a third-party invite is not made.
  createRoom: ['M_THREEPID_DENIED'],
  changePassword: ['M_WEAK_PASSWORD'],
  requestTokenToRegisterEmail: ['M_THREEPID_MEDIUM_NOT_SUPPORTED'],
  requestTokenToResetPasswordEmail: ['M_THREEPID_MEDIUM_NOT_SUPPORTED'],
  requestTokenTo3PIDEmail: ['M_THREEPID_MEDIUM_NOT_SUPPORTED'],
  requestTokenToRegisterMSISDN: ['M_THREEPID_MEDIUM_NOT_SUPPORTED'],
  requestTokenToResetPasswordMSISDN: ['M_THREEPID_MEDIUM_NOT_SUPPORTED'],
  requestTokenTo3PIDMSISDN: ['M_THREEPID_MEDIUM_NOT_SUPPORTED'],
  add3PID: ['M_THREEPID_AUTH_FAILED'],
  register: ['M_WEAK_PASSWORD'],
  setProfileField: ['M_KEY_TOO_LARGE', 'M_PROFILE_TOO_LARGE'],
  getProfileField: ['M_KEY_TOO_LARGE'],
  deleteProfileField: ['M_KEY_TOO_LARGE'],
};

export interface Tolerated {
  readonly operationId: string;
  /** Of `BadRequest.what`. */
  readonly what: RegExp;
  readonly reason: string;
}

/** Requests that look wrong and are served all the same. An entry that nothing needs any more fails the spec. */
export const tolerated: readonly Tolerated[] = [
  ...['appendResumableUpload', 'overrideTusUpload'].map((operationId) => ({
    operationId,
    what: /^uploadToken of 300 bytes/,
    reason: 'The type of the body, and the method that is meant, are looked at first: 415 and 405.',
  })),
  ...['getRoomTags', 'setRoomTag', 'deleteRoomTag', 'setAccountDataPerRoom', 'deleteAccountDataPerRoom'].map(
    (operationId) => ({
      operationId,
      what: /^foreign roomId/,
      reason: "What a user notes about a room is the user's own, and does not depend on being in it.",
    }),
  ),
  ...[
    'putRoomKeysByRoomId',
    'getRoomKeysByRoomId',
    'deleteRoomKeysByRoomId',
    'putRoomKeyBySessionId',
    'deleteRoomKeyBySessionId',
  ].map((operationId) => ({
    operationId,
    what: /^foreign roomId/,
    reason: "A backup is the user's own, and has keys of rooms that the user has left too.",
  })),
  {
    operationId: 'listRoomMedia',
    what: /^foreign roomId/,
    reason: 'Administrators look after all rooms.',
  },
  {
    operationId: 'getRoomVisibilityOnDirectory',
    what: /^foreign roomId/,
    reason: 'Anybody may ask whether a room is in the directory.',
  },
  {
    operationId: 'quarantineRoomMedia',
    what: /^foreign roomId/,
    reason: 'Administrators look after all rooms.',
  },
  {
    operationId: 'forgetRoom',
    what: /^foreign roomId/,
    reason: 'A room that one was never in is as forgotten as it can be.',
  },
  {
    operationId: 'reportRoom',
    what: /^foreign roomId/,
    reason: 'Rooms can be reported from outside.',
  },
  {
    operationId: 'reportUser',
    what: /^foreign userId/,
    reason: 'It is about other people.',
  },
  {
    operationId: 'getPresence',
    what: /^foreign userId/,
    reason: 'The other user is in a room with the one who asks.',
  },
  {
    operationId: 'deleteRoomTag',
    what: /^tag of 300 bytes/,
    reason: 'Removing a tag that is not there, and one that can never be, succeed alike.',
  },
  {
    operationId: 'setPushRule',
    what: /^body(\.conditions\[0\]\.(key|pattern|is|value)|\.pattern) as/,
    reason:
      'The sample condition is of a kind that nobody knows: those are kept and match nothing. Override rules have no pattern.',
  },
  {
    operationId: 'postRoomKeysVersion',
    what: /^body\.algorithm as/,
    reason: 'The server reads nothing of a backup: clients agree on the algorithm among themselves.',
  },
  {
    operationId: 'setPushRule',
    what: /^ruleId of 300 bytes/,
    reason: 'The specification sets no length for rule ids; all rules of a user together are bounded.',
  },
  ...[
    'getUser',
    'putUser',
    'getUserProfile',
    'getProfileField',
    'listUserMedia',
    'deleteUserMedia',
    'quarantineUserMedia',
  ].map((operationId) => ({
    operationId,
    what: /^foreign userId/,
    reason: 'It is about other people: profiles are public, and administrators administer.',
  })),
];
