/** Those of `limits` that have to do with other servers, by name and unit. */
export const federationLimits = {
  // What other servers send
  /** Of one transaction of another server. https://spec.matrix.org/v1.19/server-server-api/#transactions */
  transactionPdusMax: 50,
  transactionEdusMax: 100,
  transactionIdBytesMax: 255,
  /** Receipts and presences in one transaction; further ones are left out. */
  receiptsPerTransactionMax: 10_000,
  presencesPerTransactionMax: 5_000,
  /** Of one server, that are known when they are sent again; and for how long. */
  receivedTransactionsPerServerMax: 32,
  receivedTransactionMs: 86_400_000,
  /** Of different servers, that are being worked on at once. */
  transactionsAtOnceMax: 32,
  /** Of different servers, that may wait for their turn. */
  transactionsWaitingMax: 1_000,
  /** Events that wait for what they refer to: of one room, and of one room and the server that sent them. */
  stagedPdusPerRoomMax: 1_000,
  stagedPdusPerServerMax: 250,
  stagedBytesPerRoomMax: 16 * 1024 * 1024,
  /** They are given up when they have waited for that long, or been tried that often. */
  stagedPduMs: 86_400_000,
  stagedPduTriesMax: 12,
  /** After the first failure; twice as long after each further one. */
  stagedRetryMs: 5_000,
  stagedRetryMsMax: 3_600_000,
  /** Gaps that are being filled at once: in all, and of those that one server's events left. */
  gapsAtOnceMax: 16,
  gapsPerServerMax: 4,
  gapsWaitingMax: 10_000,
  /**
   * For one gap: time, questions for missing events, events of the timeline, and parents whose state is asked for. The newest
   * is what people wait for: what lies further back than a few answers is fetched as history, when somebody reads it.
   */
  gapMs: 120_000,
  gapQuestionsMax: 8,
  gapEventsPerQuestion: 50,
  /** Servers that have more give at least so many: the limit of a question that names none. */
  gapEventsGivenByAll: 10,
  gapEventsMax: 500,
  gapStatesMax: 20,
  /** Bytes of events that are fetched for one gap, states included. */
  gapBytesMax: 256 * 1024 * 1024,
  /** Servers of a room that are asked one after another. */
  gapServersMax: 5,
  /** Events that are asked for one by one, at once and for one gap; beyond, the whole state is asked for. */
  gapFetchesAtOnce: 8,
  gapFetchesMax: 100,

  // What other servers answer about rooms
  /** Of an answer with events or event ids, before it is parsed. */
  remoteStateBytesMax: 64 * 1024 * 1024,
  /** Events, or ids, of a state or an auth chain. */
  remoteStateEventsMax: 500_000,
  /** Of history, in one answer. */
  remoteEventsMax: 1_000,
  // What other servers are answered about rooms
  /** Of history, in one answer. */
  backfillAnswerMax: 100,
  missingEventsDefault: 10,
  missingEventsAnswerMax: 100,
  /** Event ids in a request for history. */
  historyIdsMax: 1_000,
  /** Events that are looked at for one answer, those included that are not answered. */
  historyWalkMax: 1_000,
  /** States at events that are put together at once, and requests that may wait for their turn. */
  statesAtOnceMax: 2,
  statesWaitingMax: 100,
  /** Events of states and auth chains that are kept as numbers. */
  knownStateEventsMax: 2_000_000,
  /** Users of one server in one room who are asked whether they could see an event. */
  witnessesMax: 1_000,
  /** Rooms and servers of which these are remembered. */
  knownWitnessesMax: 2_000,

  // Fetching history
  /** That a page of history waits for other servers, and how often it asks. */
  historyWaitMs: 10_000,
  historyRoundsMax: 20,
  /** In one question. */
  historyEventsPerQuestion: 100,
  /** Servers that are asked one after another for one gap; and until they are asked again when none had anything. */
  historyServersMax: 5,
  historyRetryMs: 60_000,
  historyFailuresMax: 10_000,
  /** Gaps that are being filled at once, and those that may wait. */
  historyFetchesAtOnceMax: 8,
  historyFetchesWaitingMax: 200,
  /** Of one question to one server. */
  historyTimeoutMs: 20_000,
  /** Events from which on another server is asked for history, in one request. */
  backfillFromMax: 20,

  // Asking other servers
  federationTimeoutMs: 60_000,
  /** For what a person waits for. */
  federationQueryTimeoutMs: 20_000,
  /** Of an answer with the profile of somebody elsewhere. */
  remoteProfileBytesMax: 131_072,
  /** A room's policy server: how long it is waited for, how long its answers are remembered, when it is tried again. */
  policyServerTimeoutMs: 10_000,
  policyServerBytesMax: 65_536,
  policyAnswerKeptMs: 60_000,
  policyAnswersKeptMax: 10_000,
  policyServerRetryMs: 10_000,
  policyQuestionsAtOnceMax: 10,
  /** Whether an identity server's key is valid still, and of how many keys of one invite that is asked. */
  keyValidityQuestionsMax: 3,
  keyValidityTimeoutMs: 10_000,
  keyValidityBytesMax: 16_384,
  /** Of one binding of a third-party identifier. */
  bindingInvitesMax: 50,
  /** Of an answer that says whose an OpenID token is. */
  remoteUserInfoBytesMax: 16_384,
  /** What another server tells of a space and its rooms; what was told is kept for some time, and that there was nothing, too. */
  remoteSpaceBytesMax: 1_048_576,
  remoteSpaceChildrenMax: 1_000,
  remoteSpacesKeptBytesMax: 33_554_432,
  remoteSpaceKeptMs: 300_000,
  remoteSpaceMissingKeptMs: 60_000,
  /** Servers that are asked for one room of a space. */
  remoteSpaceServersMax: 3,
  /** Questions to other servers for one page of a hierarchy, how many at once, and after which time no further one is put. */
  hierarchyQuestionsMax: 50,
  hierarchyQuestionsAtOnceMax: 10,
  hierarchyAskingMsMax: 10_000,
  /** Rooms of a space that another server is told of. */
  spaceChildrenToldMax: 500,
  federationResponseBytesMax: 16 * 1024 * 1024,
  /** After the first failure of a server, until it is asked again; twice as long after each further one. */
  destinationRetryMs: 5_000,
  destinationRetryMsMax: 3_600_000,
  /** When a server last answered is that much behind on disk. */
  destinationNoteMs: 3_600_000,
  /** Servers of which it is remembered where they are. */
  knownDestinationsMax: 20_000,

  // Keys of other servers. https://spec.matrix.org/v1.19/server-server-api/#retrieving-server-keys
  /** From when they were fetched: 7 days. */
  serverKeyValidMsMax: 604_800_000,
  knownServerKeysMax: 50_000,
  keyAnswerBytesMax: 65_536,
  keysPerServerMax: 50,
  keyFetchTimeoutMs: 10_000,
  keyFetchesAtOnceMax: 64,
  keyFetchesWaitingMax: 2_000,
  /** After asking a server for keys, until it is asked again for what it did not have; twice as long each further time. */
  keyRetryMs: 1_000,
  keyRetryMsMax: 3_600_000,
  /** Servers that one question to a notary, or to us as one, may name. */
  notaryServersMax: 100,
  notaryAnswersMax: 1_000,

  // The signed federation list.
  signedListBytesMax: 8 * 1024 * 1024,
  signedListServersMax: 100_000,
  /** Entries with wildcards: each is compared with every server. */
  signedListPatternsMax: 1_000,
  signedListTimeoutMs: 30_000,
  /** The first pause after a failure. */
  signedListRetryMs: 60_000,
  /** So long after the last time, a server that is not on the list is a reason to fetch it. */
  signedListEarlyMs: 300_000,

  /** Threads that verify events. */
  verifyThreadsMax: 4,

  // Server discovery. https://spec.matrix.org/v1.19/server-server-api/#server-discovery
  /** Redirects included. */
  wellKnownTimeoutMs: 10_000,
  wellKnownRedirectsMax: 5,
  wellKnownBytesMax: 51_200,
  /** A file that does not say for how long it is good; the least and the longest that any is kept: a day, 5 minutes, 2 days. */
  wellKnownFreshMs: 86_400_000,
  wellKnownFreshMsMin: 300_000,
  wellKnownFreshMsMax: 172_800_000,
  /** After the first error, until it is asked for again; twice as long after each further one. */
  wellKnownErrorMs: 60_000,
  wellKnownErrorMsMax: 3_600_000,
  srvFreshMs: 600_000,
  /** Places of one server that are tried one after another. */
  srvTargetsMax: 4,

  // Sending to other servers
  /** Events that wait in memory for one server; more, and they are found in the database when it is their turn. */
  federationQueueEventsMax: 1_000,
  federationQueueBytesMax: 4 * 1024 * 1024,
  /** Of a room in which a server missed more, it is sent the newest. */
  federationCatchUpEventsMax: 50,
  /** Of the events of one transaction, and of its durable EDUs. */
  federationTransactionBytesMax: 1_048_576,
  /** Durable EDUs in one transaction; the others have the rest of transactionEdusMax. */
  federationDurableEdusMax: 80,
  /** About devices of one user that change together; where there are more, other servers are made to ask for the whole list. */
  deviceListEdusMax: 20,
  /** Durable EDUs that wait for one server; of more, the oldest go. */
  federationEdusKeptMax: 50_000,
  /** Transactions on their way at once to servers that answer, and to those that did not the last time. */
  federationSendsAtOnceMax: 128,
  federationRetriesAtOnceMax: 32,
  /** After the first failure; twice as long after each further one. */
  federationRetryMs: 2_000,
  federationRetryMsMax: 3_600_000,
  /** So often a server is sent something by itself that it says it cannot read, before it is skipped. */
  federationUnreadableTriesMax: 3,
  /** After so many failures nothing is kept in memory for a server. */
  federationFailuresKept: 3,
  /** Between two transactions with nothing but receipts, typing and presence; longer where many servers are told the same. */
  federationEphemeralMs: 1_000,
  federationEphemeralMsPerServer: 20,
  /** After a server came into a room with its first user it is told who of ours there is present, of at most so many who are anywhere. */
  federationWelcomeMs: 2_000,
  federationWelcomePresencesMax: 2_000,
  /** Who goes on typing is told of again, since other servers forget it after a while. */
  federationTypingMs: 30_000,
  /** Of the events that a server has not been sent, for administrators. */
  federationUnsentCountedMax: 10_000,
  /** What was sent is that much behind on disk. */
  federationNoteMs: 5_000,
  /** What is being sent when the server ends may take this long. */
  federationCloseMs: 2_000,
  // Memberships through other servers
  /** Servers that are tried, and of those that refuse, how many are believed. */
  joinServersMax: 20,
  joinRefusalsMax: 3,
  /** Of one question for an event to sign, and of one event that was signed; its answer may be a room's state. */
  makeMembershipTimeoutMs: 20_000,
  sendMembershipTimeoutMs: 60_000,
  sendJoinTimeoutMs: 240_000,
  /** Events by which an invited user is shown a room. */
  invitedRoomStateMax: 100,
  /** Of one room, as another server names them. */
  serversInRoomMax: 100_000,

  // Files of other servers. https://spec.matrix.org/v1.19/server-server-api/#content-repository
  /** Until the headers of a response, beside what the other server may wait for an upload; and without a byte of the body. */
  remoteMediaHeadMs: 20_000,
  remoteMediaIdleMs: 30_000,
  /** A server that is slower than so many bytes, in so much time of waiting for it, is given up. */
  remoteMediaProgressBytes: 65_536,
  remoteMediaProgressMs: 60_000,
  /** What stands around a file: before the first part, in the part about it, in the headers of a part. */
  multipartPreambleBytesMax: 4_096,
  multipartMetadataBytesMax: 65_536,
  multipartHeadersBytesMax: 16_384,
  multipartHeadersMax: 32,
  /** Steps of the way to where another server says that a file is. */
  remoteMediaRedirectsMax: 5,
  /** Files that are fetched at once, of one server and of all; and that may wait for their turns. */
  remoteMediaPerServerMax: 16,
  remoteMediaPerServerWaitingMax: 500,
  remoteMediaAtOnceMax: 256,
  remoteMediaWaitingMax: 2_000,
  /** For so long a server that could not be reached is not asked for files, and another one not for a file that it does not have. */
  remoteMediaRetryMs: 30_000,
  remoteMediaFailuresMax: 10_000,
  // Rooms that were joined before their members were known
  /** Whose states are fetched at once. */
  partialRoomsAtOnceMax: 2,
  /** Servers that are asked in one attempt, and how long until the next one, at first and at most. */
  partialRoomServersMax: 10,
  partialRoomRetryMs: 2_000,
  partialRoomRetryMsMax: 600_000,
  /** Of a whole state, before it is looked at; until it must have come. */
  wholeStateBytesMax: 512 * 1024 * 1024,
  wholeStateTimeoutMs: 900_000,
  /** Events of a state that are verified and stored together. */
  wholeStateBatch: 100,
  /** If no more are missing they are asked for one by one, and so are those that cannot be verified. */
  wholeStateSinglesMax: 20,
  /** Requests that wait for the members of rooms, and of one room: one that never gets whole keeps no place of the others. */
  partialRoomWaitersMax: 10_000,
  partialRoomWaitersOfRoomMax: 1_000,
};
