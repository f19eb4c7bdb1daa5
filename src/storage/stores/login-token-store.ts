/** Tokens for one login each: table login_token. https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv1loginget_token */
import { defineRead, defineWrite } from '../query.ts';

export const loginToken = defineRead<{ hash: Buffer }, { user_nid: number; expires_ts: number }>(
  'loginToken.find',
  (q, p) => q.selectFrom('login_token').select(['user_nid', 'expires_ts']).where('token_hash', '=', p.hash),
);

export const insertLoginToken = defineWrite<{ hash: Buffer; user: number; expiresTs: number }>(
  'loginToken.insert',
  (q, p) => q.insertInto('login_token').values({ token_hash: p.hash, user_nid: p.user, expires_ts: p.expiresTs }),
);

/** Run with `changes: 1` in the unit of the login, so that a token serves once. */
export const deleteLoginToken = defineWrite<{ hash: Buffer }>('loginToken.delete', (q, p) =>
  q.deleteFrom('login_token').where('token_hash', '=', p.hash),
);

export const deleteLoginTokensOfUser = defineWrite<{ user: number }>('loginToken.deleteOfUser', (q, p) =>
  q.deleteFrom('login_token').where('user_nid', '=', p.user),
);

export const deleteExpiredLoginTokens = defineWrite<{ now: number }>('loginToken.deleteExpired', (q, p) =>
  q.deleteFrom('login_token').where('expires_ts', '<=', p.now),
);
