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
  /** For one gap: time, questions for missing events, events of the timeline, and parents whose state is asked for. */
  gapMs: 120_000,
  gapQuestionsMax: 30,
  gapEventsPerQuestion: 20,
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
  /** Events from which on another server is asked for history, in one request. */
  backfillFromMax: 20,
};
