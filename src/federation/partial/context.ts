/** What it takes to get the whole state of a room that was joined before its members were known. */
import type { EventId, ServerName } from '../../matrix/ids/ids.ts';
import type { FederationClient, StateOpener } from '../contract.ts';
import type { ReceiveContext } from '../receive/context.ts';
import type { PartialCounters } from './partial-counters.ts';

export interface PartialContext {
  /** As for gaps: what is missing in the end is asked for like what lies in one. */
  readonly receiving: ReceiveContext;
  readonly client: FederationClient;
  readonly states: StateOpener;
  readonly counters: PartialCounters;
}

/** How far a room's state has come, as an administrator sees it. */
export interface PartialProgress {
  readonly room: number;
  /** Of our join. */
  readonly joinId: EventId;
  /** Milliseconds since the Unix epoch. */
  readonly startedTs: number;
  /** Attempts that failed, and why the last one did. */
  failures: number;
  lastError: string | undefined;
  /** When it is tried again, in milliseconds since the Unix epoch; undefined: it is being tried, or waits for its turn. */
  retryTs: number | undefined;
  /** The server whose answer is being worked on. */
  server: ServerName | undefined;
  /** Events of the state and of its auth chain, as that server says; and how many of them are here. */
  wanted: number;
  stored: number;
}
