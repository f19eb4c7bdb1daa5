/** Finding people: tables user_word and open_room. */
import { sql } from 'kysely';
import { bigint, defineRead, defineWrite } from '../query.ts';

export const deleteUserWords = defineWrite<{ user: number }>('userDirectory.deleteWords', (q, p) =>
  q.deleteFrom('user_word').where('user_nid', '=', p.user),
);
export const insertUserWord = defineWrite<{ word: string; user: number }>('userDirectory.insertWord', (q, p) =>
  q
    .insertInto('user_word')
    .values({ word: p.word, user_nid: p.user })
    .onConflict((conflict) => conflict.doNothing()),
);

export interface FoundWord {
  readonly word: string;
  readonly user_nid: number;
}
/** Words from `from` up to below `below`, behind a word of a user, in order. */
export const wordsBetween = defineRead<
  { from: string; below: string; afterWord: string; afterUser: number; limit: number },
  FoundWord
>('userDirectory.wordsBetween', (q, p) =>
  q
    .selectFrom('user_word')
    .select(['word', 'user_nid'])
    .where('word', '>=', p.from)
    .where('word', '<', p.below)
    .where(sql<boolean>`(word, user_nid) > (${p.afterWord}, ${bigint(p.afterUser)})`)
    .orderBy('word')
    .orderBy('user_nid')
    .limit(bigint(p.limit)),
);
export const wordsOfUsers = defineRead<{ users: readonly number[] }, FoundWord>('userDirectory.wordsOfUsers', (q, p) =>
  q.selectFrom('user_word').select(['word', 'user_nid']).where('user_nid', 'in', p.list('users')),
);

/**
 * Of these users, those with whom somebody shares a room, or who are in a room that is open to all. `everybody` 1: all of them.
 * Whose account is deactivated or locked, and the one who asks, are never among them. CROSS JOIN because SQLite keeps its
 * order: the rooms of the one who is looked at, then one seek for each.
 */
export const visibleUsers = defineRead<
  { users: readonly number[]; user: number; everybody: number },
  { user_nid: number; user_id: string }
>('userDirectory.visibleUsers', (q, p) =>
  q
    .selectFrom('user_name as u')
    .leftJoin('account as a', 'a.user_nid', 'u.user_nid')
    .select(['u.user_nid', 'u.user_id'])
    .where('u.user_nid', 'in', p.list('users'))
    .where('u.user_nid', '!=', p.user)
    .where((e) =>
      e.or([e('a.user_nid', 'is', null), e.and([e('a.deactivated_ts', 'is', null), e('a.locked', '=', 0)])]),
    )
    .where((e) =>
      e.or([
        sql<boolean>`${bigint(p.everybody)} = 1`,
        e.exists(
          e
            .selectFrom('member_room as m')
            .select('m.room')
            .whereRef('m.user_nid', '=', 'u.user_nid')
            .where('m.membership', '=', 'join')
            .where((inner) =>
              inner.or([
                inner.exists(inner.selectFrom('open_room as o').select('o.room').whereRef('o.room', '=', 'm.room')),
                inner.exists(
                  inner
                    .selectFrom('member_room as own')
                    .select('own.room')
                    .where('own.user_nid', '=', p.user)
                    .whereRef('own.room', '=', 'm.room')
                    .where('own.membership', '=', 'join'),
                ),
              ]),
            ),
        ),
      ]),
    ),
);

export const openRoom = defineWrite<{ room: number }>('userDirectory.openRoom', (q, p) =>
  q
    .insertInto('open_room')
    .values({ room: p.room })
    .onConflict((conflict) => conflict.doNothing()),
);
export const closeRoom = defineWrite<{ room: number }>('userDirectory.closeRoom', (q, p) =>
  q.deleteFrom('open_room').where('room', '=', p.room),
);

/** Accounts in the order of their numbers. */
export const accountsAfter = defineRead<{ user: number; limit: number }, { user_nid: number; user_id: string }>(
  'userDirectory.accountsAfter',
  (q, p) =>
    q
      .selectFrom('account as a')
      .innerJoin('user_name as u', 'u.user_nid', 'a.user_nid')
      .select(['a.user_nid', 'u.user_id'])
      .where('a.user_nid', '>', p.user)
      .orderBy('a.user_nid')
      .limit(bigint(p.limit)),
);

/** Display names and avatars, as JSON. */
export const facesOfUsers = defineRead<{ users: readonly number[] }, { user_nid: number; name: string; value: string }>(
  'userDirectory.facesOfUsers',
  (q, p) =>
    q
      .selectFrom('profile_field')
      .select(['user_nid', 'name', 'value'])
      .where('user_nid', 'in', p.list('users'))
      .where('name', 'in', ['displayname', 'avatar_url']),
);
