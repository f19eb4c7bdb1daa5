import type { ServerName } from '../matrix/ids/ids.ts';

/**
 * `refused`: our own policy forbids it. `backing-off`: it failed lately, so it was not tried. `unreachable`: no response.
 * `answered`: a status of 300 or above. `unusable`: a response that is not what was asked for.
 */
export type FederationFailure = 'refused' | 'backing-off' | 'unreachable' | 'answered' | 'unusable';

/** A request to another server did not bring what it was made for. */
export class FederationError extends Error {
  override readonly name = 'FederationError';
  readonly destination: ServerName;
  readonly failure: FederationFailure;
  /** Of `answered`. */
  readonly status: number | undefined;
  /** As the other server said it, if it did. */
  readonly errcode: string | undefined;
  /** The same in words. */
  readonly said: string | undefined;
  /** Of M_INCOMPATIBLE_ROOM_VERSION. */
  readonly roomVersion: string | undefined;

  constructor(destination: ServerName, failure: FederationFailure, message: string, details: FailureDetails = {}) {
    super(`${destination}: ${message}`, { cause: details.cause });
    this.destination = destination;
    this.failure = failure;
    this.status = details.status;
    this.errcode = details.errcode;
    this.said = details.said;
    this.roomVersion = details.roomVersion;
  }
}

export interface FailureDetails {
  readonly status?: number;
  readonly errcode?: string | undefined;
  readonly said?: string | undefined;
  readonly roomVersion?: string | undefined;
  readonly cause?: unknown;
}
