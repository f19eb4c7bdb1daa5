/** Bits of event.flags (design: storage-and-speed §2.2). */
export const EventFlag = {
  /** Known, but without a place in the room's DAG here: no ord, no pos, no state. */
  outlier: 1,
  /** Failed authorisation; kept so that descendants can be judged. */
  rejected: 2,
  /** Allowed by the state before it, not by the current state; invisible to clients. */
  softFailed: 4,
  redacted: 8,
  backfilled: 32,
  /** Judged while the room's state was partial. */
  partialState: 64,
  /** Rejected, soft-failed or backfilled, but a visible event builds on it, so what it refers to is no extremity (R14). */
  builtOn: 128,
  /** A policy server refused it. */
  policyDenied: 256,
  /** It was scheduled: its sender is told by which delayed event it came about. */
  delayed: 512,
  /**
   * It took its place as an event of another server does, and this one sends it to all others in the room: a join, leave or knock
   * of another server's user that was made through this one, or our invite that another server signed, too.
   */
  sentOn: 1024,
  /** Of a user here, made through another server, which sends it to all others in the room: this one does not. */
  sentOnElsewhere: 2048,
  /** It refers to parents that were not known when it came: what lies before it in the timeline may be missing. */
  afterGap: 4096,
} as const;
