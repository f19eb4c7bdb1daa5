/** Which versions of documents users have accepted: table consent. */
import { defineRead, defineWrite } from '../query.ts';

export interface ConsentRow {
  readonly document: string;
  readonly version: string;
  readonly ts: number;
}

export const consentsOfUser = defineRead<{ user: number }, ConsentRow>('consent.ofUser', (q, p) =>
  q
    .selectFrom('consent')
    .select(['document', 'version', 'ts'])
    .where('user_nid', '=', p.user)
    .orderBy('ts')
    .orderBy('document'),
);

export const insertConsent = defineWrite<{ user: number; document: string; version: string; ts: number }>(
  'consent.insert',
  (q, p) => q.insertInto('consent').values({ user_nid: p.user, document: p.document, version: p.version, ts: p.ts }),
);
