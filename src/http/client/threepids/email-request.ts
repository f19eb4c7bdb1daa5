/** What the three operations that begin to confirm an address share. */
import type { Accounts } from '../../../accounts/index.ts';
import { pickLanguage } from '../../../platform/messages/catalogue.ts';
import { type Decoded, integer, object, optional, string } from '../../decode.ts';
import type { EndpointRequest, Reply } from '../../endpoint.ts';

/** Parameters about identity servers are ignored: this server sends its messages itself. */
export const emailRequestBody = object({
  client_secret: string(),
  email: string(),
  send_attempt: integer({ min: 0 }),
  next_link: optional(string()),
});

type EmailRequestCall = Pick<
  EndpointRequest<unknown, unknown, Decoded<typeof emailRequestBody>, unknown>,
  'body' | 'header'
>;

export async function requestEmail(
  request: EmailRequestCall,
  accounts: Pick<Accounts, 'emailSessions'>,
  purpose: 'register' | 'reset' | 'add',
): Promise<Reply> {
  const { body } = request;
  const languages = request.header('accept-language');
  const { sid, submitUrl } = await accounts.emailSessions.request({
    purpose,
    email: body.email,
    clientSecret: body.client_secret,
    sendAttempt: body.send_attempt,
    nextLink: body.next_link,
    language: languages === undefined ? undefined : pickLanguage(languages),
  });
  return { json: { sid, submit_url: submitUrl } };
}
