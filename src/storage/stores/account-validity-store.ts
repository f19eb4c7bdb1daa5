/** Until when accounts can be used: table account_validity. Accounts without a row do not expire. */
import { bigint, defineRead, defineWrite } from '../query.ts';

export interface ValidityRow {
  readonly user_nid: number;
  readonly expires_ts: number;
}

export const validityOfToken = defineRead<{ tokenHash: Buffer }, ValidityRow>('validity.ofToken', (q, p) =>
  q.selectFrom('account_validity').select(['user_nid', 'expires_ts']).where('token_hash', '=', p.tokenHash),
);

export const validityOfUser = defineRead<{ user: number }, ValidityRow>('validity.ofUser', (q, p) =>
  q.selectFrom('account_validity').select(['user_nid', 'expires_ts']).where('user_nid', '=', p.user),
);

/** Of active accounts whose owners are to be told that they expire, the soonest first. */
export const validitiesToRemind = defineRead<{ before: number; limit: number }, ValidityRow>(
  'validity.toRemind',
  (q, p) =>
    q
      .selectFrom('account_validity')
      .innerJoin('account', 'account.user_nid', 'account_validity.user_nid')
      .select(['account_validity.user_nid', 'account_validity.expires_ts'])
      .where('account_validity.reminded', '=', 0)
      .where('account_validity.expires_ts', '<=', p.before)
      .where('account.deactivated_ts', 'is', null)
      .orderBy('account_validity.expires_ts')
      .limit(bigint(p.limit)),
);

/** A new time; whoever has an older link cannot use it any more. */
export const setValidity = defineWrite<{ user: number; expiresTs: number; reminded: number }>('validity.set', (q, p) =>
  q
    .insertInto('account_validity')
    .values({ user_nid: p.user, expires_ts: p.expiresTs, reminded: p.reminded, token_hash: null })
    .onConflict((conflict) =>
      conflict.column('user_nid').doUpdateSet({ expires_ts: p.expiresTs, reminded: p.reminded, token_hash: null }),
    ),
);

/** Nothing changes when the account does not expire any more. */
export const noteReminder = defineWrite<{ user: number; tokenHash: Buffer }>('validity.noteReminder', (q, p) =>
  q.updateTable('account_validity').set({ reminded: 1, token_hash: p.tokenHash }).where('user_nid', '=', p.user),
);

/** Run with `changes: 1`: a link serves once. */
export const useValidityToken = defineWrite<{ tokenHash: Buffer; expiresTs: number }>('validity.useToken', (q, p) =>
  q
    .updateTable('account_validity')
    .set({ expires_ts: p.expiresTs, reminded: 0, token_hash: null })
    .where('token_hash', '=', p.tokenHash),
);
