/** E-mail addresses and phone numbers of local users, in canonical form: table threepid. */
import { defineRead, defineWrite } from '../query.ts';

export interface ThreepidRow {
  readonly medium: string;
  readonly address: string;
  readonly added_ts: number;
  readonly validated_ts: number;
}

export const threepidsOfUser = defineRead<{ user: number }, ThreepidRow>('threepid.ofUser', (q, p) =>
  q
    .selectFrom('threepid')
    .select(['medium', 'address', 'added_ts', 'validated_ts'])
    .where('user_nid', '=', p.user)
    .orderBy('medium')
    .orderBy('address'),
);

/** Fails with UniqueViolation when somebody has it. */
export const insertThreepid = defineWrite<{
  medium: string;
  address: string;
  user: number;
  addedTs: number;
  validatedTs: number;
}>('threepid.insert', (q, p) =>
  q.insertInto('threepid').values({
    medium: p.medium,
    address: p.address,
    user_nid: p.user,
    added_ts: p.addedTs,
    validated_ts: p.validatedTs,
  }),
);

export const deleteThreepidsOfUser = defineWrite<{ user: number }>('threepid.deleteOfUser', (q, p) =>
  q.deleteFrom('threepid').where('user_nid', '=', p.user),
);

export const deleteThreepid = defineWrite<{ medium: string; address: string; user: number }>(
  'threepid.delete',
  (q, p) =>
    q
      .deleteFrom('threepid')
      .where('medium', '=', p.medium)
      .where('address', '=', p.address)
      .where('user_nid', '=', p.user),
);
