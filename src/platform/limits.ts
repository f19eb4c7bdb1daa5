import { federationLimits } from './federation-limits.ts';
import { mediaLimits } from './media-limits.ts';

/**
 * Every fixed limit, by name and unit. Those that an operator may change are in `Config['limits']`, with a default each
 * (platform/config/limit-sections.ts); `{ ...limits, ...config.limits }` has both.
 */
export const limits = Object.freeze({
  ...federationLimits,
  ...mediaLimits,

  // Events. https://spec.matrix.org/v1.19/client-server-api/#size-limits
  eventBytesMax: 65_536,
  idBytesMax: 255,
  prevEventsMax: 20,
  /** Forward extremities of a room: when other servers leave more, an event of ours ties them together. */
  extremitiesMax: 10,
  authEventsMax: 10,

  // JSON
  jsonDepthMax: 64,

  // Requests
  /** Of requests without an access token: logging in, registering. */
  unauthenticatedBodyBytesMax: 65_536,
  /** Of bodies that are not whole yet, of one user or address; a larger limits.request_body_bytes_max counts instead. */
  receivedBytesPerCallerMax: 16 * 1024 * 1024,
  receivedBytesMax: 256 * 1024 * 1024,
  requestHeaderBytesMax: 16_384,
  requestHeadersMax: 200,
  /** From the first byte of a connection or request to the end of its headers. */
  requestHeadersMs: 30_000,
  /** Without a byte received from a sender, or taken by a reader, while a body is being transferred. */
  transferIdleMs: 30_000,
  /** Longer than proxies keep theirs (60 s), so that it is never we who close a connection that is being used. */
  keepAliveMs: 75_000,
  /** Of a body that nobody wants, so that its sender can read the answer. */
  unwantedBodyBytesMax: 1_048_576,
  slowRequestMs: 5_000,
  /** Of the 5 s in which a server must end. */
  closeGraceMs: 3_000,
  rateLimitBucketsMax: 100_000,

  // Reading rooms
  timelineEventsDefault: 10,
  timelineEventsMax: 100,
  messagesDefault: 10,
  messagesMax: 1_000,
  /** How many events a page may look at that its reader does not get: hidden ones, and those its filter leaves out. */
  messagesScannedMax: 5_000,
  /** How many relations of one event are looked through for those from whom its newest ones are hidden. */
  hiddenChildrenScannedMax: 200,
  /** Events that are named in an event's m.reference bundle, and in all of a page's; /relations has them all. */
  bundledReferencesMax: 1_000,
  bundledReferencesPerPageMax: 10_000,
  relationsDefault: 20,
  relationsMax: 100,
  threadsDefault: 20,
  threadsMax: 100,
  threadSubscriptionsDefault: 100,
  threadSubscriptionsMax: 1_000,
  contextEventsDefault: 10,
  contextEventsMax: 100,
  longPollMs: 30_000,
  longPollMsMax: 300_000,
  filterBytesMax: 65_536,

  // Simplified sliding sync
  slidingListsMax: 100,
  slidingSubscriptionsMax: 100,
  /** Of the older shape, whose clients know of no bound. */
  slidingUnboundedSubscriptionsMax: 1_000,
  slidingNameBytesMax: 255,
  /** Of one device; the one that was not used for longest gives way. */
  slidingConnectionsMax: 16,
  /** Of all connections in memory. */
  slidingBytesMax: 256 * 1024 * 1024,
  /** What connections were told is that much behind on disk. */
  slidingWriteMs: 5_000,
  slidingSweepMs: 3_600_000,
  /** A connection that is not used for that long is forgotten. */
  slidingUnusedMs: 30 * 86_400_000,

  // What accounts may have
  displayNameBytesMax: 256,
  avatarUrlBytesMax: 1_000,
  deviceNameBytesMax: 100,
  profileBytesMax: 65_536,
  accountDataBytesMax: 1_048_576,
  reasonBytesMax: 1_000,
  reportReasonBytesMax: 10_000,
  passwordBytesMax: 512,
  interactiveSessionMs: 900_000,
  interactiveSessionsMax: 10_000,
  filtersMax: 1_000,
  tagBytesMax: 255,

  // Tokens and what is remembered of them
  /** Of access tokens that can be refreshed; others do not expire. */
  accessTokenMs: 3_600_000,
  loginTokenMs: 120_000,
  openIdTokenMs: 3_600_000,
  /** Of one user. */
  openIdTokensMax: 100,
  knownTokensMax: 200_000,
  /** Users of whom it is remembered whom they ignore. */
  knownIgnorersMax: 100_000,
  /** Users whose name and avatar are remembered. */
  knownMemberProfilesMax: 20_000,
  /** Stored filters of /sync that are kept parsed. */
  knownFiltersBytesMax: 16 * 1024 * 1024,
  unknownTokensMax: 10_000,
  unknownTokenMs: 5_000,
  /** Of the shared-secret registration. */
  nonceMs: 60_000,
  noncesMax: 1_000,
  /** Last seen times of devices are that much behind on disk. */
  deviceSeenWriteMs: 300_000,

  // Messages between devices
  toDeviceBytesMax: 65_536,
  toDeviceMessagesPerRequestMax: 10_000,
  /** To another server at once; further messages are in further EDUs. */
  toDeviceEduBytesMax: 262_144,
  /** For how long messages of other servers are known when they are sent again: 14 days. */
  receivedToDeviceMs: 1_209_600_000,
  /** Of one response. https://spec.matrix.org/v1.19/client-server-api/#send-to-device-messaging */
  toDeviceMessagesPerPageMax: 100,
  /** That wait for one device; of more, the oldest go. */
  toDeviceMessagesKeptMax: 50_000,
  /** Devices of which it is remembered what waits for them. */
  knownInboxesMax: 200_000,

  /** Of the data with which a login can take over a dehydrated device. */
  dehydratedDeviceBytesMax: 65_536,

  // Key backups
  /** Of one user that are not deleted. */
  keyBackupsMax: 100,
  keyBackupAuthDataBytesMax: 65_536,
  backedUpKeyBytesMax: 65_536,
  backedUpKeysPerRequestMax: 10_000,
  /** Of the keys in one answer: they are put together in memory. */
  backedUpKeysAnswerBytesMax: 268_435_456,
  /** Of one version. */
  backedUpKeysMax: 500_000,

  // Rooms
  /** Of the servers that an alias is answered with. */
  aliasServersMax: 50,
  publicRoomsDefault: 100,
  publicRoomsMax: 100,
  /** Rooms on a page of a space's hierarchy. */
  hierarchyRoomsDefault: 50,
  hierarchyRoomsMax: 100,
  hierarchyDepthMax: 50,
  /** Rooms that a space leads to; and of those, how many a page looks at that its reader may not see. */
  hierarchyRoomsWalkedMax: 5_000,
  hierarchyRoomsScannedMax: 500,
  mutualRoomsMax: 100,
  createRoomInvitesMax: 100,
  typingMsMax: 120_000,

  // Events that are sent later
  delayedEventsListedMax: 1_000,
  /** After a failure that is ours, until it is tried again. */
  delayedEventRetryMs: 10_000,
  /** How long it is known what became of them, and of how many of one user. */
  finalisedDelayedEventMs: 604_800_000,
  finalisedDelayedEventsMax: 1_000,

  /** Of one room in one answer. */
  stickyEventsMax: 1_000,

  // Calls
  livekitTokenMs: 3_600_000,
  /** Of the tokens with which this server asks LiveKit. */
  livekitServiceTokenMs: 60_000,
  livekitTimeoutMs: 10_000,
  /** Between questions whether somebody is in a call, as long as they are not. */
  livekitQuestionMsMax: 60_000,
  /** Of delayed events that this server puts off for their owner. */
  delegatedDelayMsMin: 5_000,

  // Presence
  /** Without activity, until somebody who is online is idle. */
  presenceIdleMs: 300_000,
  /** Without a /sync, until a device is gone. */
  presenceOfflineMs: 30_000,
  /** Between changes being told; within it they are gathered. */
  presenceFlushMs: 1_000,
  /** In the long run; one change told to one user counts one. */
  presenceTellingsPerSecond: 5_000,
  /** Who is online is that much behind on disk. */
  presenceNoteMs: 300_000,
  presenceStatusBytesMax: 1_000,
  /** Without a word of their server, until users of other servers are taken to be offline. */
  remotePresenceMs: 1_800_000,
  /** In which somebody of another server is seen. */
  remoteContactRoomsMax: 5_000,
  /** Users who are online and of whom it is remembered, those of other servers included: beyond, these are left out. */
  presencesMax: 200_000,
  /** Users who are offline, of whom it is remembered since when and with which message. */
  presenceAbsencesMax: 20_000,
  /** Changes of others that are remembered for a user; more, and their next /sync asks for all. */
  presenceMarksMax: 100,

  // Push
  /** https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3pushersset */
  pushkeyBytesMax: 512,
  pusherAppIdCharactersMax: 64,
  pusherTextBytesMax: 256,
  pusherDataBytesMax: 8_192,
  pushersMax: 50,
  notificationsDefault: 20,
  notificationsMax: 100,
  /** Events of all rooms that a page of /notifications looks at. */
  notificationsScannedMax: 1_000,
  /** Older events are in no list of notifications: 30 days. */
  notificationAgeMs: 2_592_000_000,
  /** Of one pusher, those that wait; of more, the oldest are not sent. */
  pushesWaitingMax: 100,
  /** Older events are not pushed any more, whatever kept them. */
  pushAgeMs: 86_400_000,
  /** Of a room, those that are looked at for what was not pushed before a restart. */
  pushCatchUpEventsMax: 1_000,
  /** Events that wait to be looked at; more, and they are read back from the database. */
  pushEventsWaitingMax: 10_000,
  pushesPerGatewayMax: 64,
  pushesAtOnceMax: 256,
  pushTimeoutMs: 20_000,
  pushResponseBytesMax: 65_536,
  /** After the first failure; twice as long after each further one. */
  pushRetryMs: 1_000,
  pushRetryMsMax: 3_600_000,
  /** Of one notification that its gateway refuses as a bad request. */
  pushRefusalsMax: 3,
  /** Of messages by e-mail: how often the delay may begin anew because something more comes. */
  mailPushDelaysMax: 6,
  /** The longest time between two messages to somebody who reads nothing, unless the configuration has a longer one. */
  mailPushIntervalMsMax: 43_200_000,
  mailPushRetryMs: 60_000,
  /** Between something being read and devices being told how much is unread. */
  badgeDelayMs: 1_000,
  /** What was pushed is that much behind on disk, but for what was acknowledged. */
  pushNoteMs: 5_000,
  /** What is being sent when the server ends may take this long. */
  pushCloseMs: 2_000,

  // Keys for end-to-end encryption
  deviceKeysBytesMax: 65_536,
  crossSigningKeyBytesMax: 65_536,
  oneTimeKeyBytesMax: 8_192,
  /** Of one device, that nobody has claimed yet. Clients keep about fifty. */
  oneTimeKeysMax: 1_000,
  /** Algorithms for which a device may have a fallback key. */
  fallbackKeysMax: 20,
  /** Of one target: a device, or a user's master key. */
  keySignaturesMax: 100,
  /** Users' keys in the form in which they are answered with. */
  knownKeysBytesMax: 64 * 1024 * 1024,
  knownKeyCountsMax: 200_000,
  /** Of other servers: until they must have answered, if clients say nothing, and at most. */
  remoteKeysTimeoutMs: 10_000,
  remoteKeysTimeoutMsMax: 30_000,
  remoteKeysAnswerBytesMax: 16 * 1024 * 1024,
  /** Of one request of a client. */
  remoteKeyServersAtOnceMax: 50,
  remoteDevicesPerUserMax: 1_000,
  remoteDeviceNameBytesMax: 400,
  remoteDeviceIdBytesMax: 255,
  /** Of all devices of one user; the lists of those who have more are not kept. */
  remoteDeviceListBytesMax: 4 * 1024 * 1024,
  /** Of keys of users of other servers in memory. */
  keptKeysBytesMax: 64 * 1024 * 1024,
  /** When somebody comes to an encrypted room: of so many users of other servers at most the keys are asked for before anybody wants them. */
  deviceListsAheadMax: 100,
  /** Lists that are asked for at once, one of each server. */
  deviceListResyncsAtOnceMax: 20,
  /** Until a list is asked for again that could not be had; twice as long each time. */
  deviceListRetryMs: 10_000,
  deviceListRetryMsMax: 3_600_000,
  /** What a server told while it could not be reached for longer is not relied on to come. */
  deviceListDoubtMs: 600_000,
  /** Users of whom it is remembered whether they ever had keys. */
  knownKeyOwnersMax: 500_000,
  /** Changes of others' device lists that are remembered for a user who syncs; more, and the database is asked. */
  deviceListMarksMax: 100,
  /** Who come to one room at once, or leave it: more are told of together. */
  deviceListMovesMax: 20,
  /** Members of other servers of whom nothing is known, of a room that somebody came into: clients ask for those whom they need. */
  deviceListStrangersMax: 5_000,
  // Finding people
  userSearchDefault: 10,
  userSearchMax: 50,
  /** Of people who are found and compared with each other; and words that are looked at for them. */
  userSearchFoundMax: 200,
  userSearchScannedMax: 50_000,
  userSearchTermBytesMax: 1_000,

  // Full-text search
  searchTermBytesMax: 1_000,
  searchWordsMax: 20,
  searchResultsDefault: 10,
  searchResultsMax: 50,
  searchContextDefault: 5,
  searchContextMax: 20,
  /** Of one event; what comes behind them is not found. */
  searchedWordsMax: 4_000,
  /** Entries of the index that a search looks at, of all rooms; beyond them it goes on with the next page. */
  searchScannedMax: 20_000,
  /** The newest ones that are compared with each other by rank. */
  searchRankedMax: 1_000,

  /** What is derived from events, is to be written and waits in memory; beyond that it is read from the database again. */
  followerQueueMax: 10_000,

  // Outgoing requests
  outgoingTimeoutMs: 60_000,
  outgoingIdleMs: 30_000,
  outgoingResponseBytesMax: 8_388_608,

  // E-mail
  mailConnectionsMax: 2,
  /** Until a mail server has greeted. */
  mailConnectionMs: 15_000,
  /** Without a byte from it. */
  mailIdleMs: 60_000,
  /** Messages on their way at once, and those that may wait for their turn. */
  mailsAtOnceMax: 4,
  mailsWaitingMax: 1_000,
  /** Until the link in a message must be followed, and from then on until it must be made use of. */
  emailSessionMs: 86_400_000,
  validatedEmailMs: 3_600_000,
  nextLinkBytesMax: 2_000,
  threepidsPerUserMax: 20,

  /** From SIGTERM to the end of the process. */
  shutdownMs: 5_000,
});
