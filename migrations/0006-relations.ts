/** What a page of relations, a bundle or a list of threads is found by without looking at every child of an event. */
import { hash } from 'node:crypto';
import { type Kysely, sql } from 'kysely';
import { ddl } from '../src/storage/ddl.ts';

export async function up(db: Kysely<never>): Promise<void> {
  await ddl(db, [
    'ALTER TABLE relation RENAME TO old_relation',
    // One row per event of a timeline that relates to another one, while it is not redacted. target2_id: what the target
    // relates to; target3_id: what that relates to. variant: which of the same sender's relations replace one another: the type of
    // an edit, what an annotation says (hashed); otherwise ''.
    `CREATE TABLE relation (room INTEGER NOT NULL, target_id TEXT NOT NULL, rel_type TEXT NOT NULL, ord INTEGER NOT NULL,
      nid INTEGER NOT NULL, event_id TEXT NOT NULL, sender INTEGER NOT NULL, ts INTEGER NOT NULL, variant TEXT NOT NULL,
      target2_id TEXT, target3_id TEXT, PRIMARY KEY (room, target_id, rel_type, ord)) WITHOUT ROWID`,
    `CREATE INDEX relation_by_target ON relation (room, target_id, ord)`,
    `CREATE INDEX relation_by_sender ON relation (room, target_id, rel_type, sender, variant, ts, event_id)`,
    `CREATE INDEX relation_by_target2 ON relation (room, target2_id, ord) WHERE target2_id IS NOT NULL`,
    `CREATE INDEX relation_by_target3 ON relation (room, target3_id, ord) WHERE target3_id IS NOT NULL`,
    // events: how many there are in the thread, its root not counted
    `CREATE TABLE thread (room INTEGER NOT NULL, root_id TEXT NOT NULL, latest_ord INTEGER NOT NULL, events INTEGER NOT NULL,
      PRIMARY KEY (room, root_id)) WITHOUT ROWID`,
    `CREATE INDEX thread_by_latest ON thread (room, latest_ord)`,
  ]);
  await carryOver(db);
  await sql`insert into thread (room, root_id, latest_ord, events)
    select room, target_id, max(ord), count(*) from relation where rel_type = 'm.thread' group by room, target_id`.execute(
    db,
  );
  await ddl(db, ['DROP TABLE old_relation']);
}

interface Child {
  nid: number;
  event_id: string;
  room: number;
  ord: number;
  sender: number;
  skey: number | null;
  ts: number;
  type: string;
  body: Buffer;
}
const sliceEvents = 500;

async function carryOver(db: Kysely<never>): Promise<void> {
  for (let above = 0; ;) {
    const { rows } = await sql<Child>`select e.nid, e.event_id, e.room, e.ord, e.sender, e.skey, e.ts, e.type, b.body
      from event as e join event_body as b on b.nid = e.nid
      where e.nid in (select nid from old_relation where nid > ${above} order by nid limit ${sliceEvents})
        and e.ord is not null order by e.nid`.execute(db);
    for (const row of rows) await carry(db, row);
    const { rows: next } = await sql<{ nid: number | null }>`select max(nid) as nid from
      (select nid from old_relation where nid > ${above} order by nid limit ${sliceEvents}) as slice`.execute(db);
    if (next[0]?.nid == null) return;
    above = next[0].nid;
  }
}

async function carry(db: Kysely<never>, row: Child): Promise<void> {
  const content = contentOf(row.body);
  const relation = relationOf(content);
  if (relation === undefined) return;
  const target2 = await relationOfStored(db, row.room, relation.targetId);
  if (target2 === 'elsewhere') return;
  const target3 = target2 && (await relationOfStored(db, row.room, target2.targetId));
  const target3Id = typeof target3 === 'object' ? target3.targetId : null;
  await sql`insert into relation
    (room, target_id, rel_type, ord, nid, event_id, sender, ts, variant, target2_id, target3_id)
    values (${row.room}, ${relation.targetId}, ${relation.relType}, ${row.ord}, ${row.nid}, ${row.event_id}, ${row.sender},
      ${row.ts}, ${variantOf(row, relation, content)}, ${target2?.targetId ?? null}, ${target3Id})`.execute(db);
}

async function relationOfStored(
  db: Kysely<never>,
  room: number,
  eventId: string,
): Promise<Relation | 'elsewhere' | undefined> {
  const { rows } = await sql<{ room: number; body: Buffer }>`select e.room, b.body
    from event as e join event_body as b on b.nid = e.nid where e.event_id = ${eventId}`.execute(db);
  const [row] = rows;
  if (row === undefined) return undefined;
  return row.room === room ? relationOf(contentOf(row.body)) : 'elsewhere';
}

interface Relation {
  readonly relType: string;
  readonly targetId: string;
  readonly key: unknown;
}

/** A redacted event has no relation in its content. */
function relationOf(content: Record<string, unknown>): Relation | undefined {
  const relation = content['m.relates_to'];
  if (typeof relation !== 'object' || relation === null) return undefined;
  const { rel_type: relType, event_id: targetId, key } = relation as Record<string, unknown>;
  if (!isKeyPart(relType) || !isKeyPart(targetId) || !targetId.startsWith('$')) return undefined;
  return { relType, targetId, key };
}

const isKeyPart = (value: unknown): value is string =>
  typeof value === 'string' && value.isWellFormed() && !value.includes('\0') && Buffer.byteLength(value) <= 255;

function variantOf({ type, skey }: Child, { relType, key }: Relation, content: Record<string, unknown>): string {
  if (relType === 'm.annotation' && typeof key === 'string')
    return hash('sha256', JSON.stringify([type, key]), 'base64').slice(0, -1);
  const newContent = content['m.new_content'];
  const isEdit = relType === 'm.replace' && skey === null && isKeyPart(type);
  return isEdit && (type === 'm.room.encrypted' || (typeof newContent === 'object' && newContent !== null)) ? type : '';
}

function contentOf(body: Buffer): Record<string, unknown> {
  return (JSON.parse(body.toString('utf8', 1)) as { content: Record<string, unknown> }).content;
}
