/** Profiles of local users: table profile_field. Values are JSON texts. */
import { defineRead, defineWrite } from '../query.ts';

export interface ProfileFieldRow {
  readonly name: string;
  readonly value: string;
}

export const profileFields = defineRead<{ user: number }, ProfileFieldRow>('profile.fields', (q, p) =>
  q.selectFrom('profile_field').select(['name', 'value']).where('user_nid', '=', p.user).orderBy('name'),
);

export const setProfileField = defineWrite<{ user: number; name: string; value: string }>('profile.setField', (q, p) =>
  q
    .insertInto('profile_field')
    .values({ user_nid: p.user, name: p.name, value: p.value })
    .onConflict((conflict) =>
      conflict.columns(['user_nid', 'name']).doUpdateSet((e) => ({ value: e.ref('excluded.value') })),
    ),
);

export const deleteProfileField = defineWrite<{ user: number; name: string }>('profile.deleteField', (q, p) =>
  q.deleteFrom('profile_field').where('user_nid', '=', p.user).where('name', '=', p.name),
);

export const deleteProfile = defineWrite<{ user: number }>('profile.delete', (q, p) =>
  q.deleteFrom('profile_field').where('user_nid', '=', p.user),
);
