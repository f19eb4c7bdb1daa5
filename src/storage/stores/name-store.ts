/** The tables of interned names; see names.ts. */
import { defineRead, defineWrite } from '../query.ts';

interface NameRow {
  nid: number;
  name: string;
}

export const userNamesByIds = defineRead<{ names: readonly string[] }, NameRow>('userName.byIds', (q, p) =>
  q.selectFrom('user_name').select(['user_nid as nid', 'user_id as name']).where('user_id', 'in', p.list('names')),
);

export const userNamesByNids = defineRead<{ nids: readonly number[] }, NameRow>('userName.byNids', (q, p) =>
  q.selectFrom('user_name').select(['user_nid as nid', 'user_id as name']).where('user_nid', 'in', p.list('nids')),
);

export const insertUserName = defineWrite<NameRow & { serverNid: number }>('userName.insert', (q, p) =>
  q.insertInto('user_name').values({ user_nid: p.nid, user_id: p.name, server_nid: p.serverNid }),
);

export const serverNamesByNames = defineRead<{ names: readonly string[] }, NameRow>('serverName.byNames', (q, p) =>
  q.selectFrom('server_name').select(['server_nid as nid', 'name']).where('name', 'in', p.list('names')),
);

export const serverNamesByNids = defineRead<{ nids: readonly number[] }, NameRow>('serverName.byNids', (q, p) =>
  q.selectFrom('server_name').select(['server_nid as nid', 'name']).where('server_nid', 'in', p.list('nids')),
);

export const insertServerName = defineWrite<NameRow>('serverName.insert', (q, p) =>
  q.insertInto('server_name').values({ server_nid: p.nid, name: p.name }),
);

interface StateKeyRow {
  skey: number;
  type: string;
  key: string;
}

export const stateKeysByKeys = defineRead<{ type: string; keys: readonly string[] }, StateKeyRow>(
  'stateKey.byKeys',
  (q, p) =>
    q
      .selectFrom('state_key')
      .select(['skey', 'type', 'key'])
      .where('type', '=', p.type)
      .where('key', 'in', p.list('keys')),
);

export const stateKeysBySkeys = defineRead<{ skeys: readonly number[] }, StateKeyRow>('stateKey.bySkeys', (q, p) =>
  q.selectFrom('state_key').select(['skey', 'type', 'key']).where('skey', 'in', p.list('skeys')),
);

export const insertStateKey = defineWrite<StateKeyRow>('stateKey.insert', (q, p) =>
  q.insertInto('state_key').values({ skey: p.skey, type: p.type, key: p.key }),
);
