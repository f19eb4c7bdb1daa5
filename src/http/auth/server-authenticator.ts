import type { RequestAuthenticator } from '../../federation/incoming/request-authenticator.ts';

/** What the HTTP layer needs to know which server asks; `federation/incoming/request-authenticator.ts` implements it. */
export type ServerAuthenticator = Pick<RequestAuthenticator, 'claim' | 'loadKeys' | 'assertSigned' | 'confirm'>;
