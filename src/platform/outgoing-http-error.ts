/**
 * Why there is no response.
 * - refused_address: the name leads to an address that must not be reached (see `isPublicAddress`)
 * - bad_request: the URL or a header cannot be used
 * - name: the name could not be resolved
 * - connection: no connection, or it broke (certificate errors are `tls`)
 * - timeout: the total or the idle limit
 * - too_large: more bytes than `responseBytesMax`
 * - aborted: the caller's signal
 */
export type OutgoingHttpFailure =
  'refused_address' | 'bad_request' | 'name' | 'connection' | 'tls' | 'timeout' | 'too_large' | 'aborted';

export class OutgoingHttpError extends Error {
  override readonly name = 'OutgoingHttpError';
  readonly failure: OutgoingHttpFailure;

  constructor(failure: OutgoingHttpFailure, message: string, options?: { readonly cause?: unknown }) {
    super(message, options);
    this.failure = failure;
  }
}
