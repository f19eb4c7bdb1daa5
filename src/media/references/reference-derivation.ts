import type { EventId } from '../../matrix/ids/ids.ts';
import type { MxcUri } from '../../matrix/ids/mxc-uri.ts';
import { isJsonObject, type JsonObject } from '../../matrix/json/json-value.ts';
import { Lru } from '../../platform/lru.ts';
import type { Derivation } from '../../rooms/stream-follower.ts';
import type { Database, Wake } from '../../storage/database.ts';
import { decodeEventBody } from '../../storage/event-body.ts';
import {
  deleteMediaReferences,
  eventsElsewhere,
  eventsAfter,
  type FollowedRow,
  insertMediaReferences,
  MediaRole,
} from '../../storage/stores/media-reference-store.ts';
import { insertEncryptedSenders } from '../../storage/stores/media-retention-store.ts';
import { isRedactedById } from '../../storage/stores/search-store.ts';
import { setStreamProgress, type StreamProgress } from '../../storage/stores/stream-progress-store.ts';
import { mediaNamedIn } from './named-media.ts';

/** What an event means for who names what. */
export type ReferenceWork =
  | { readonly kind: 'named'; readonly nid: number; readonly uris: readonly MxcUri[]; readonly role: MediaRole }
  | { readonly kind: 'removal'; readonly nid: number }
  /** Nobody can see what it names. */
  | { readonly kind: 'encrypted'; readonly nid: number; readonly sender: number };

/**
 * Which events name which files: table media_reference. Nobody can see it of encrypted events; of these it is kept who has ever sent
 * one: table encrypted_sender.
 */
export class ReferenceDerivation implements Derivation<ReferenceWork, FollowedRow> {
  readonly name = 'media_reference';
  readonly #db: Database;
  /** Of whom it is written. */
  readonly #encryptedSenders = new Lru<number, true>({ sizeMax: knownSendersMax });
  readonly #onWritten: (nids: readonly number[]) => void;

  /** `onWritten` is told of the events whose references have changed. */
  constructor(db: Database, onWritten: (nids: readonly number[]) => void = () => undefined) {
    this.#db = db;
    this.#onWritten = onWritten;
  }

  rowsAfter(room: number, ord: number, limit: number): Promise<readonly FollowedRow[]> {
    return this.#db.all(eventsAfter, { room, ord, limit });
  }
  rowsElsewhere(room: number, pos: number): Promise<readonly FollowedRow[]> {
    return this.#db.all(eventsElsewhere, { room, pos });
  }

  async workOfRow({
    nid,
    sender,
    type,
    redacted_by: redactedBy,
    body,
  }: FollowedRow): Promise<ReferenceWork | undefined> {
    if (type === 'm.room.redaction') return this.#workOfRedaction(pduIn(decodeEventBody(body)));
    if (redactedBy !== null) return undefined;
    if (type === 'm.room.encrypted') return this.#workOfEncrypted(nid, sender);
    const json = decodeEventBody(body);
    return json.includes('mxc://') ? workOf(nid, type, pduIn(json)['content']) : undefined;
  }

  workOfWake(wake: Wake): ReferenceWork | undefined {
    if (wake.kind === 'redaction') return { kind: 'removal', nid: wake.nid };
    if (wake.kind !== 'event' && wake.kind !== 'history') return undefined;
    const { nid, senderNid, event } = wake;
    if (event.type === 'm.room.encrypted') return this.#workOfEncrypted(nid, senderNid);
    return workOf(nid, event.type, event.content);
  }

  charsOf(work: ReferenceWork): number {
    return work.kind === 'named' ? work.uris.length * charsOfReference : 0;
  }

  async write(works: readonly ReferenceWork[], progress: StreamProgress): Promise<void> {
    // The last work of an event counts: what was redacted names nothing.
    const byEvent = new Map(works.flatMap((work) => (work.kind === 'encrypted' ? [] : [[work.nid, work] as const])));
    const nids = [...byEvent.keys()];
    const rows = [...byEvent.values()].flatMap((work) => (work.kind === 'named' ? rowsOf(work) : []));
    const senders = works.flatMap((work) => (work.kind === 'encrypted' ? [work.sender] : []));
    await this.#db.write((unit) => {
      if (nids.length > 0) unit.run(deleteMediaReferences, { nids });
      if (rows.length > 0) unit.run(insertMediaReferences, { rows: JSON.stringify(rows) });
      if (senders.length > 0) unit.run(insertEncryptedSenders, { rows: JSON.stringify(senders.map((nid) => [nid])) });
      unit.run(setStreamProgress, { follower: this.name, ...progress });
    }).committed;
    for (const sender of senders) this.#encryptedSenders.set(sender, true);
    this.#onWritten(nids);
  }

  #workOfEncrypted(nid: number, sender: number): ReferenceWork | undefined {
    return this.#encryptedSenders.has(sender) ? undefined : { kind: 'encrypted', nid, sender };
  }

  async #workOfRedaction({ redacts, content }: JsonObject): Promise<ReferenceWork | undefined> {
    const eventId = (isJsonObject(content) ? content['redacts'] : undefined) ?? redacts;
    if (typeof eventId !== 'string') return undefined;
    const target = await this.#db.one(isRedactedById, { eventId: eventId as EventId });
    return target === undefined || target.redacted_by === null ? undefined : { kind: 'removal', nid: target.nid };
  }
}

function workOf(nid: number, type: string, content: unknown): ReferenceWork | undefined {
  if (!isJsonObject(content)) return undefined;
  const uris = mediaNamedIn(content);
  return uris.length === 0 ? undefined : { kind: 'named', nid, uris, role: roles[type] ?? MediaRole.content };
}

const roles: Readonly<Record<string, MediaRole>> = {
  'm.room.avatar': MediaRole.roomAvatar,
  'm.room.member': MediaRole.memberAvatar,
};
const knownSendersMax = 100_000;
/** Of one in the database, about. */
const charsOfReference = 100;

const pduIn = (json: string): JsonObject => JSON.parse(json) as JsonObject;

const rowsOf = ({ nid, uris, role }: ReferenceWork & { readonly kind: 'named' }) =>
  uris.map(({ serverName, mediaId }) => [nid, serverName, mediaId, role]);
