/** Finding people: the words by which they are found, and the rooms whose members everybody may find. */
import { type Kysely, sql } from 'kysely';
import { ddl } from '../src/storage/ddl.ts';

export async function up(db: Kysely<never>): Promise<void> {
  await ddl(db, [
    // The words of the display name and of the user id, in the form in which they are compared.
    `CREATE TABLE user_word (word TEXT NOT NULL, user_nid INTEGER NOT NULL, PRIMARY KEY (word, user_nid)) WITHOUT ROWID`,
    `CREATE INDEX user_word_by_user ON user_word (user_nid)`,
    // Rooms that anybody may join or read.
    `CREATE TABLE open_room (room INTEGER PRIMARY KEY)`,
  ]);
  await fillOpenRooms(db);
}

const sliceRooms = 500;

async function fillOpenRooms(db: Kysely<never>): Promise<void> {
  for (let above = 0; ;) {
    const { rows: rooms } = await sql<{ room: number }>`select room from room where room > ${above}
      order by room limit ${sliceRooms}`.execute(db);
    const last = rooms.at(-1)?.room;
    if (last === undefined) return;
    const { rows } = await sql<{ room: number; body: Buffer }>`select r.room, b.body
      from room as r cross join state_key as k
      join state_change as c on c.line = r.main_line and c.skey = k.skey
        and c.pos = (select max(d.pos) from state_change as d where d.line = r.main_line and d.skey = k.skey)
      join event_body as b on b.nid = c.event
      where r.room > ${above} and r.room <= ${last} and k.key = ''
        and k.type in ('m.room.join_rules', 'm.room.history_visibility')`.execute(db);
    const open = new Set(rows.filter(({ body }) => isOpen(body)).map(({ room }) => room));
    for (const room of open) await sql`insert into open_room (room) values (${room})`.execute(db);
    above = last;
  }
}

function isOpen(body: Buffer): boolean {
  const { content } = JSON.parse(body.toString('utf8', 1)) as { content: Record<string, unknown> };
  return content['join_rule'] === 'public' || content['history_visibility'] === 'world_readable';
}
