/** What the three operations that begin to confirm a phone number share: this server has no way to send to one. */
import { MatrixError } from '../../../matrix/errors.ts';
import { integer, object, optional, string } from '../../decode.ts';

export const phoneRequestBody = object({
  client_secret: string(),
  country: string(),
  phone_number: string(),
  send_attempt: integer({ min: 0 }),
  next_link: optional(string()),
});

export const phoneNotSupported = (): MatrixError =>
  new MatrixError(400, 'M_THREEPID_MEDIUM_NOT_SUPPORTED', 'This server cannot send to phone numbers');
