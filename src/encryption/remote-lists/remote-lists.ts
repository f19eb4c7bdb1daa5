/**
 * Keys of users of other servers, kept for as long as these share a room with somebody here, and right as far as their servers tell of
 * every change. docs/decisions has why.
 */
import type { ServerName } from '../../matrix/ids/ids.ts';
import type { JsonObject } from '../../matrix/json/json-value.ts';
import { KeyedLock } from '../../platform/keyed-lock.ts';
import { limits } from '../../platform/limits.ts';
import {
  insertWantedLists,
  markServerStale,
  sharingWithUs,
  staleLists,
} from '../../storage/stores/remote-device-store.ts';
import type { UserKeys } from '../user-keys.ts';
import type { RemoteListsContext, RemoteListsParts } from './context.ts';
import { FollowedMembers } from './followed-members.ts';
import { isRight, type Kept, KeptLists, wasRight } from './kept-lists.ts';
import { receiveDeviceLists, receiveSigningKeys } from './receive-lists.ts';
import { Resyncs } from './resyncs.ts';
import { writeStale } from './write-kept.ts';

/** What is known of somebody without asking. */
export interface KnownRemoteKeys {
  readonly keys: UserKeys;
  /** Otherwise they were right once. */
  readonly isRight: boolean;
}

/** What answers are made of. */
export type KnownLists = Pick<RemoteLists, 'known' | 'wantSoon'>;

export class RemoteLists {
  readonly #ctx: RemoteListsContext;
  readonly #resyncs: Resyncs;
  readonly #members: FollowedMembers;
  #unfollow = (): void => {};
  /** Those who went before the start are still among those who are kept. */
  #isSwept = false;
  /** Work that nobody waits for. */
  readonly #background = new Set<Promise<void>>();

  constructor(parts: RemoteListsParts) {
    let locals: Promise<readonly number[]> | undefined;
    this.#ctx = {
      ...parts,
      kept: new KeptLists(parts.db),
      listLocks: new KeyedLock<number>(),
      locals: () => (locals ??= parts.names.serverNids(parts.localServers.names())),
    };
    this.#resyncs = new Resyncs(this.#ctx);
    this.#members = new FollowedMembers(this.#ctx, {
      want: (userNids) => this.#want(userNids),
      doubt: (userNids) => this.#doubt(userNids),
    });
  }

  /** Goes on with what was to be asked for when the server ended. To be called once; before, and without federation, nothing is kept. */
  async start(): Promise<void> {
    this.#unfollow = this.#ctx.db.onCommitted((commit) => this.#members.onCommit(commit));
    for (const row of await this.#ctx.db.all(staleLists, {}))
      this.#resyncs.want(row.server_nid, row.user_nid, row.stale_pos);
    this.#inBackground(this.#members.sweep().then(() => void (this.#isSwept = true)));
  }

  async close(): Promise<void> {
    this.#unfollow();
    await this.#members.close();
    await this.#resyncs.close();
    await Promise.all(this.#background);
    this.#ctx.kept.close();
  }

  /** Whether nothing is being asked for or followed at this moment. */
  isQuiet(): boolean {
    return this.#background.size === 0 && this.#members.isQuiet() && this.#resyncs.isQuiet();
  }

  /** Of those of the users whose keys are known. */
  async known(userNids: readonly number[]): Promise<ReadonlyMap<number, KnownRemoteKeys>> {
    // Not after what is read: it may be swept meanwhile.
    const isSwept = this.#isSwept;
    await this.#members.settled();
    const lists = await this.#ctx.kept.of(userNids);
    let known = [...lists].filter((entry): entry is [number, Kept] => wasRight(entry[1]));
    if (!isSwept && known.length > 0) {
      const sharing = await this.#sharing(known.map(([userNid]) => userNid));
      known = known.filter(([userNid]) => sharing.has(userNid));
    }
    return new Map(known.map(([userNid, kept]) => [userNid, { keys: kept.keys, isRight: isRight(kept) }]));
  }

  /** Somebody here asked for their keys: those who share a room are kept from now on. */
  wantSoon(userNids: readonly number[]): void {
    const work = async (): Promise<void> => {
      const lists = await this.#ctx.kept.of(userNids);
      const unknown = userNids.filter((userNid) => lists.get(userNid) === undefined);
      if (unknown.length === 0) return;
      const sharing = await this.#sharing(unknown);
      await this.#want(unknown.filter((userNid) => sharing.has(userNid)));
    };
    if (userNids.length > 0) this.#inBackground(work());
  }

  /** Contents of m.device_list_update, in their order. */
  receiveDeviceLists(origin: ServerName, contents: readonly JsonObject[]): Promise<void> {
    return receiveDeviceLists({ ...this.#ctx, resyncs: this.#resyncs }, origin, contents);
  }
  /** Contents of m.signing_key_update, in their order. */
  receiveSigningKeys(origin: ServerName, contents: readonly JsonObject[]): Promise<void> {
    return receiveSigningKeys({ ...this.#ctx, resyncs: this.#resyncs }, origin, contents);
  }

  /** The server can be reached again. After a long time it may have given up telling what changed meanwhile. */
  serverReturned(server: ServerName, failedForMs: number): void {
    const work = async (): Promise<void> => {
      const serverNid = await this.#ctx.names.findServerNid(server);
      if (serverNid === undefined) return;
      if (failedForMs >= limits.deviceListDoubtMs) await this.#doubtServer(serverNid);
      this.#resyncs.retryNow(serverNid);
    };
    this.#inBackground(work());
  }

  async #want(users: readonly number[]): Promise<void> {
    if (users.length === 0) return;
    let pos = 0;
    const written = this.#ctx.db.write((unit) => {
      pos = unit.nextPos();
      unit.run(insertWantedLists, { users, pos });
      unit.wake({ kind: 'remote-keys-kept', userNids: users });
    });
    const { rows } = await written.committed;
    for (const row of (rows[0] ?? []) as readonly { user_nid: number; server_nid: number }[])
      this.#resyncs.want(row.server_nid, row.user_nid, pos);
  }

  async #doubt(users: readonly number[]): Promise<void> {
    let pos = 0;
    await this.#ctx.db.write((unit) => {
      pos = unit.nextPos();
      writeStale(unit, users, pos);
    }).committed;
    for (const row of await this.#ctx.db.all(staleLists, {}))
      if (row.stale_pos === pos) this.#resyncs.want(row.server_nid, row.user_nid, pos);
  }

  async #doubtServer(server: number): Promise<void> {
    let pos = 0;
    const written = this.#ctx.db.write((unit) => {
      pos = unit.nextPos();
      unit.run(markServerStale, { server, pos });
    });
    const { rows } = await written.committed;
    const userNids = (rows[0] ?? []).map((row) => (row as { user_nid: number }).user_nid);
    // Told by a unit of its own, because only now it is known of whom.
    await this.#ctx.db.write((unit) => unit.wake({ kind: 'remote-keys-kept', userNids })).committed;
    for (const userNid of userNids) this.#resyncs.want(server, userNid, pos);
  }

  async #sharing(users: readonly number[]): Promise<ReadonlySet<number>> {
    const rows = await this.#ctx.db.all(sharingWithUs, { users, locals: await this.#ctx.locals() });
    return new Set(rows.map((row) => row.user_nid));
  }

  #inBackground(work: Promise<void>): void {
    const done: Promise<void> = work
      .catch((error: unknown) => this.#ctx.onFailed(error))
      .finally(() => this.#background.delete(done));
    this.#background.add(done);
  }
}
