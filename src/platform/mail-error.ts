/**
 * Why a message was not taken by the mail server.
 * - not_configured: there is no mail server
 * - unreachable: no connection, or it broke; the same message may go later
 * - tls: no encrypted connection where one is demanded, or a certificate that is not trusted
 * - login: user or password are wrong
 * - later: refused for now (4xx)
 * - refused: refused for good (5xx)
 */
export type MailFailure = 'not_configured' | 'unreachable' | 'tls' | 'login' | 'later' | 'refused';

export class MailError extends Error {
  override readonly name = 'MailError';
  readonly failure: MailFailure;

  constructor(failure: MailFailure, message: string, options?: { readonly cause?: unknown }) {
    super(message, options);
    this.failure = failure;
  }
}
