/** OpenID tokens: table openid_token. https://spec.matrix.org/v1.19/client-server-api/#openid */
import { bigint, defineRead, defineWrite } from '../query.ts';

export const openIdToken = defineRead<
  { hash: Buffer },
  { user_id: string; expires_ts: number; deactivated_ts: number | null; locked: number }
>('openIdToken.find', (q, p) =>
  q
    .selectFrom('openid_token as t')
    .innerJoin('account as a', 'a.user_nid', 't.user_nid')
    .innerJoin('user_name as n', 'n.user_nid', 't.user_nid')
    .select(['n.user_id', 't.expires_ts', 'a.deactivated_ts', 'a.locked'])
    .where('t.token_hash', '=', p.hash),
);

export const insertOpenIdToken = defineWrite<{ hash: Buffer; user: number; expiresTs: number }>(
  'openIdToken.insert',
  (q, p) => q.insertInto('openid_token').values({ token_hash: p.hash, user_nid: p.user, expires_ts: p.expiresTs }),
);

/** Leaves a user's newest ones. */
export const deleteOldestOpenIdTokens = defineWrite<{ user: number; kept: number }>(
  'openIdToken.deleteOldest',
  (q, p) =>
    q
      .deleteFrom('openid_token')
      .where('user_nid', '=', p.user)
      .where('token_hash', 'not in', (e) =>
        e
          .selectFrom('openid_token')
          .select('token_hash')
          .where('user_nid', '=', p.user)
          .orderBy('expires_ts', 'desc')
          .orderBy('token_hash')
          .limit(bigint(p.kept)),
      ),
);

export const deleteExpiredOpenIdTokens = defineWrite<{ now: number }>('openIdToken.deleteExpired', (q, p) =>
  q.deleteFrom('openid_token').where('expires_ts', '<=', p.now),
);

export const deleteOpenIdTokensOfUser = defineWrite<{ user: number }>('openIdToken.deleteOfUser', (q, p) =>
  q.deleteFrom('openid_token').where('user_nid', '=', p.user),
);
