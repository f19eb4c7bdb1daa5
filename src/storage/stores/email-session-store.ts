/** E-mail addresses that are being confirmed: table email_session. */
import { defineRead, defineWrite } from '../query.ts';

export type EmailPurpose = 'register' | 'reset' | 'add';

export interface EmailSessionRow {
  readonly sid: string;
  readonly purpose: string;
  readonly address: string;
  readonly secret_hash: Buffer;
  readonly token_hash: Buffer | null;
  readonly send_attempt: number;
  readonly next_link: string | null;
  readonly expires_ts: number;
  readonly validated_ts: number | null;
}

const columns = [
  'sid',
  'purpose',
  'address',
  'secret_hash',
  'token_hash',
  'send_attempt',
  'next_link',
  'expires_ts',
  'validated_ts',
] as const;

export const emailSession = defineRead<{ sid: string }, EmailSessionRow>('emailSession.find', (q, p) =>
  q.selectFrom('email_session').select(columns).where('sid', '=', p.sid),
);

export const emailSessionOf = defineRead<{ purpose: string; address: string; secretHash: Buffer }, EmailSessionRow>(
  'emailSession.of',
  (q, p) =>
    q
      .selectFrom('email_session')
      .select(columns)
      .where('purpose', '=', p.purpose)
      .where('address', '=', p.address)
      .where('secret_hash', '=', p.secretHash),
);

/** Fails with UniqueViolation when the same request was made at the same time. */
export const insertEmailSession = defineWrite<{
  sid: string;
  purpose: string;
  address: string;
  secretHash: Buffer;
  tokenHash: Buffer | null;
  sendAttempt: number;
  nextLink: string | null;
  expiresTs: number;
}>('emailSession.insert', (q, p) =>
  q.insertInto('email_session').values({
    sid: p.sid,
    purpose: p.purpose,
    address: p.address,
    secret_hash: p.secretHash,
    token_hash: p.tokenHash,
    send_attempt: p.sendAttempt,
    next_link: p.nextLink,
    expires_ts: p.expiresTs,
    validated_ts: null,
  }),
);

/** Another message with another token; the one before is worth nothing any more. */
export const renewEmailSession = defineWrite<{
  sid: string;
  tokenHash: Buffer | null;
  sendAttempt: number;
  nextLink: string | null;
  expiresTs: number;
}>('emailSession.renew', (q, p) =>
  q
    .updateTable('email_session')
    .set({ token_hash: p.tokenHash, send_attempt: p.sendAttempt, next_link: p.nextLink, expires_ts: p.expiresTs })
    .where('sid', '=', p.sid),
);

/** Nothing changes when it is confirmed already. */
export const validateEmailSession = defineWrite<{ sid: string; ts: number; expiresTs: number }>(
  'emailSession.validate',
  (q, p) =>
    q
      .updateTable('email_session')
      .set({ validated_ts: p.ts, expires_ts: p.expiresTs })
      .where('sid', '=', p.sid)
      .where('validated_ts', 'is', null),
);

/** Run with `changes: 1` in the unit of what the confirmed address allows, so that it serves once. */
export const deleteEmailSession = defineWrite<{ sid: string }>('emailSession.delete', (q, p) =>
  q.deleteFrom('email_session').where('sid', '=', p.sid),
);

/** What was begun for an address that is no longer the account's. */
export const deleteEmailSessionsOf = defineWrite<{ purpose: string; address: string }>(
  'emailSession.deleteOf',
  (q, p) => q.deleteFrom('email_session').where('purpose', '=', p.purpose).where('address', '=', p.address),
);

export const deleteExpiredEmailSessions = defineWrite<{ now: number }>('emailSession.deleteExpired', (q, p) =>
  q.deleteFrom('email_session').where('expires_ts', '<=', p.now),
);
