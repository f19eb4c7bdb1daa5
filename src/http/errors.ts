import { MatrixError } from '../matrix/errors.ts';

/** The path is none of ours. https://spec.matrix.org/v1.19/client-server-api/#common-error-codes */
export const unrecognizedPath = (): MatrixError => new MatrixError(404, 'M_UNRECOGNIZED', 'Unrecognized request');

/** The path is ours, the method is not one it has. */
export const unrecognizedMethod = (): MatrixError =>
  new MatrixError(405, 'M_UNRECOGNIZED', 'This path does not answer this method');

/** What a client learns of a failure that is ours: nothing but the id under which the log has the details. */
export const internalError = (requestId: string): MatrixError =>
  new MatrixError(500, 'M_UNKNOWN', `Internal server error (request ${requestId})`);

export const shuttingDown = (): MatrixError => new MatrixError(503, 'M_UNKNOWN', 'The server is shutting down');

/** https://spec.matrix.org/v1.19/client-server-api/#rate-limiting */
export const limitExceeded = (retryAfterMs: number): MatrixError =>
  new MatrixError(429, 'M_LIMIT_EXCEEDED', 'Too many requests', { retry_after_ms: Math.ceil(retryAfterMs) });
