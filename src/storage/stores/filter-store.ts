/** Filters that clients defined: table filter. Ids count per user. */
import { defineRead, defineWrite } from '../query.ts';

export const filterOfUser = defineRead<{ user: number; filterId: number }, { json: string }>('filter.find', (q, p) =>
  q.selectFrom('filter').select('json').where('user_nid', '=', p.user).where('filter_id', '=', p.filterId),
);

export const filterIdOfJson = defineRead<{ user: number; json: string }, { filter_id: number }>(
  'filter.idOfJson',
  (q, p) => q.selectFrom('filter').select('filter_id').where('user_nid', '=', p.user).where('json', '=', p.json),
);

export const highestFilterId = defineRead<{ user: number }, { highest: number | null }>('filter.highestId', (q, p) =>
  q
    .selectFrom('filter')
    .select((e) => e.fn.max('filter_id').as('highest'))
    .where('user_nid', '=', p.user),
);

export const insertFilter = defineWrite<{ user: number; filterId: number; json: string }>('filter.insert', (q, p) =>
  q.insertInto('filter').values({ user_nid: p.user, filter_id: p.filterId, json: p.json }),
);

export const deleteFiltersUpTo = defineWrite<{ user: number; filterId: number }>('filter.deleteUpTo', (q, p) =>
  q.deleteFrom('filter').where('user_nid', '=', p.user).where('filter_id', '<=', p.filterId),
);

export const deleteFilters = defineWrite<{ user: number }>('filter.delete', (q, p) =>
  q.deleteFrom('filter').where('user_nid', '=', p.user),
);
