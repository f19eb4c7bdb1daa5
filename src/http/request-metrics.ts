import type { Metrics } from '../platform/metrics.ts';

/** Told of every answered request. */
export interface RequestMetrics {
  /** `operationId` is "unrecognized" for what is none of ours, "preflight" for OPTIONS. */
  requestAnswered(operationId: string, status: number, durationMs: number): void;
}

/** Counts and times requests by operation and status. Long polls count with the time that they waited. */
export function requestMetrics(metrics: Metrics): RequestMetrics {
  const duration = metrics.histogram('veche_http_request_duration_seconds', 'Time from request to answer.', [
    'operation',
    'status',
  ]);
  return {
    requestAnswered: (operation, status, durationMs) =>
      duration.observe({ operation, status: String(status) }, durationMs / 1000),
  };
}
