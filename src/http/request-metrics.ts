/** Told of every answered request. */
export interface RequestMetrics {
  /** `operationId` is "unrecognized" for what is none of ours, "preflight" for OPTIONS. */
  requestAnswered(operationId: string, status: number, durationMs: number): void;
}
