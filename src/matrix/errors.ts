/**
 * The standard error response.
 * https://spec.matrix.org/v1.19/client-server-api/#standard-error-response
 */
import type { JsonObject } from './json/json-value.ts';

export class MatrixError extends Error {
  override readonly name = 'MatrixError';
  readonly status: number;
  readonly errcode: string;
  /** Further fields of the response body, such as soft_logout or retry_after_ms. */
  readonly extra: JsonObject;

  constructor(status: number, errcode: string, message: string, extra: JsonObject = {}) {
    super(message);
    this.status = status;
    this.errcode = errcode;
    this.extra = extra;
  }

  body(): JsonObject {
    return { errcode: this.errcode, error: this.message, ...this.extra };
  }
}

export const forbidden = (message: string): MatrixError => new MatrixError(403, 'M_FORBIDDEN', message);
/** https://spec.matrix.org/v1.19/client-server-api/#guest-access */
export const guestAccessForbidden = (message: string): MatrixError =>
  new MatrixError(403, 'M_GUEST_ACCESS_FORBIDDEN', message);
export const notFound = (message: string): MatrixError => new MatrixError(404, 'M_NOT_FOUND', message);
export const badJson = (message: string): MatrixError => new MatrixError(400, 'M_BAD_JSON', message);
export const invalidParam = (message: string): MatrixError => new MatrixError(400, 'M_INVALID_PARAM', message);
export const missingParam = (message: string): MatrixError => new MatrixError(400, 'M_MISSING_PARAM', message);
export const tooLarge = (message: string): MatrixError => new MatrixError(413, 'M_TOO_LARGE', message);
