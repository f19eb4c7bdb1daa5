/** Follows what is committed and hands it to the servers that it goes to. */
import type { ServerName } from '../../matrix/ids/ids.ts';
import { limits } from '../../platform/limits.ts';
import { Semaphore } from '../../platform/semaphore.ts';
import { serverOf } from '../../rooms/context.ts';
import type { OutgoingEvent } from '../../rooms/outgoing-event.ts';
import { membershipIn } from '../../rooms/membership.ts';
import { firstOrdAfter } from '../../rooms/pagination-token.ts';
import type { Commit, Wake } from '../../storage/database.ts';
import { serversOfEdu } from '../../storage/stores/device-list-edu-store.ts';
import { edusWaiting, roomsWithNewsAfter, targetedServers, trimEdusFor } from '../../storage/stores/outgoing-store.ts';
import { ServerVisibility } from '../answers/server-visibility.ts';
import type { Destination } from './destination.ts';
import { Destinations } from './destinations.ts';
import { EphemeralNews } from './ephemeral-news.ts';
import type { OutgoingPdu } from './outgoing-pdu.ts';
import { RoomServers } from './room-servers.ts';
import { measureLoad, sendCounters } from './send-counters.ts';
import type { SenderDependencies } from './sender-dependencies.ts';
import { SendProgress } from './send-progress.ts';

const roomsPerRead = 500;

export class Sender {
  readonly #deps: SenderDependencies;
  readonly #roomServers: RoomServers;
  readonly #progress: SendProgress;
  readonly #lanes = {
    healthy: new Semaphore(limits.federationSendsAtOnceMax, Infinity),
    failing: new Semaphore(limits.federationRetriesAtOnceMax, Infinity),
  };
  /** Positions of events whose servers are being looked up, oldest first. */
  readonly #unplaced = new Set<number>();
  /** How many questions of who is to be sent something are open. */
  #lookups = 0;
  #destinations: Destinations | undefined;
  #ephemeral: EphemeralNews | undefined;
  #followedPos = 0;
  /** Until what was missed before the start is handed out, nothing counts as handed out. */
  #hasResumed = false;
  #unfollow = (): void => {};
  #isClosed = false;

  constructor(deps: SenderDependencies) {
    this.#deps = deps;
    const { rooms, timers, onFailed } = deps;
    this.#roomServers = new RoomServers({ rooms, timers, onFailed });
    this.#progress = new SendProgress({
      db: rooms.db,
      timers,
      onFailed,
      handedOutPos: () => this.#handedOutPos(),
      lagging: () => this.#lagging(),
    });
  }

  /** undefined: it was not to be sent anything since this process began. */
  find(server: ServerName): Destination | undefined {
    return this.#destinations?.find(server);
  }

  /** Those that fail are tried at once, as far as they may be reached now. */
  retryWhere(mayReach: (server: ServerName) => boolean): void {
    for (const destination of this.#destinations?.all() ?? [])
      if (destination.isFailing && mayReach(destination.name)) destination.tryNow(false);
  }

  get #started(): Destinations {
    if (this.#destinations === undefined) throw new Error('the sender was not started');
    return this.#destinations;
  }

  isQuiet(): boolean {
    if (this.#unplaced.size + this.#lookups > 0) return false;
    for (const { isSending } of this.#started.all()) if (isSending) return false;
    return true;
  }

  /** Goes on where the process before this one ended. To be called once. */
  async start(): Promise<void> {
    const { rooms, metrics } = this.#deps;
    const locals = await rooms.names.serverNids(rooms.localServers.names());
    const destinations = new Destinations({
      ...this.#deps,
      roomServers: this.#roomServers,
      visibility: new ServerVisibility(rooms),
      origin: rooms.localServers.main,
      locals,
      lanes: this.#lanes,
      counters: sendCounters(metrics),
      onProgress: () => this.#progress.note(),
    });
    this.#destinations = destinations;
    measureLoad(metrics, () => destinations.load());
    this.#ephemeral = new EphemeralNews({ ...this.#deps, roomServers: this.#roomServers, destinations, locals });
    this.#followedPos = rooms.db.committedPos();
    this.#unfollow = rooms.db.onCommitted((commit) => this.#follow(commit));
    await this.#resume(destinations, this.#followedPos);
  }

  /** What is on its way has a moment to arrive; what did not is sent after the next start. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#unfollow();
    this.#ephemeral?.close();
    await Promise.all([...(this.#destinations?.all() ?? [])].map((destination) => destination.close()));
    if (this.#destinations !== undefined) await this.#progress.close();
    this.#roomServers.close();
  }

  #follow({ pos, wakes }: Commit): void {
    for (const wake of wakes) this.#hear(wake);
    this.#followedPos = pos;
  }

  #hear(wake: Wake): void {
    if (wake.kind === 'outgoing') this.#handOut(wake);
    else if (wake.kind === 'remote-membership') this.#remoteMember(wake);
    else if (wake.kind === 'partial-room' || wake.kind === 'rejudged') this.#roomServers.stateChanged(wake.room);
    else if (wake.kind === 'event') {
      const { room, event, otherStateChanged, senderNid } = wake;
      if (event.type === 'm.room.member' && event.stateKey === event.sender && membershipIn(event) === 'join')
        this.#ephemeral?.memberJoined(room, event.sender, senderNid);
      if (otherStateChanged) this.#roomServers.stateChanged(room);
      else if (event.type === 'm.room.server_acl' && event.stateKey === '')
        this.#roomServers.aclChanged(room, event.content);
    } else if (wake.kind === 'outgoing-edu') this.#edusWait(wake.serverNids);
    else if (wake.kind === 'outgoing-key-edu') this.#keyEduWaits(wake.eduPos);
    else this.#ephemeral?.hear(wake);
  }

  #remoteMember({ room, userId, serverNid, membership, previous }: Extract<Wake, { kind: 'remote-membership' }>): void {
    if (membership === 'join') this.#roomServers.joined(room, serverNid, serverOf(userId));
    else if (previous === 'join') this.#roomServers.left(room, serverNid);
  }

  #handOut(outgoing: OutgoingEvent): void {
    const { room, nid, pos, body, exceptServerNid, targetServerNid } = outgoing;
    this.#unplaced.add(pos);
    this.#roomServers.use(room, (servers) => {
      this.#unplaced.delete(pos);
      this.#progress.note();
      if (servers.size === 0 && targetServerNid === undefined) return;
      const pdu: OutgoingPdu = { room, nid, pos, text: Buffer.from(body) };
      for (const [serverNid, name] of servers)
        if (serverNid !== exceptServerNid) this.#started.of(serverNid, name).push(pdu, serverNid === targetServerNid);
      if (targetServerNid === undefined || servers.has(targetServerNid)) return;
      this.#withDestinations([targetServerNid], (destination) => destination.push(pdu, true));
    });
  }

  #keyEduWaits(pos: number): void {
    this.#lookUp(
      this.#deps.rooms.db.all(serversOfEdu, { pos }).then((rows) => this.#edusWait(rows.map((row) => row.server_nid))),
    );
  }

  /** Servers of which it was not known that they are in the room: they are sent what came since a position. */
  missed(serverNids: readonly number[], room: number, since: number): void {
    this.#withDestinations(serverNids, (destination) => destination.fallBehind(since, [room]));
  }

  #edusWait(serverNids: readonly number[]): void {
    if (this.#isClosed) return;
    this.#withDestinations(serverNids, (destination) => destination.edusWait());
  }

  #withDestinations(serverNids: readonly number[], use: (destination: Destination) => void): void {
    this.#lookUp(
      this.#deps.rooms.names.serverNames(serverNids).then((names) => {
        for (const [at, serverNid] of serverNids.entries()) use(this.#started.of(serverNid, names[at]!));
      }),
    );
  }

  #lookUp(work: Promise<void>): void {
    this.#lookups++;
    work.catch((error: unknown) => this.#deps.onFailed(error)).finally(() => this.#lookups--);
  }

  async #resume(destinations: Destinations, startPos: number): Promise<void> {
    const { pos, lagging } = await this.#progress.load();
    const { db, names } = this.#deps.rooms;
    const waiting = await db.all(edusWaiting, {});
    const targeted = await db.all(targetedServers, {});
    const missed = await this.#missedRooms(pos, startPos);
    const nids = new Set([
      ...lagging.keys(),
      ...missed.keys(),
      ...[...waiting, ...targeted].map((row) => row.server_nid),
    ]);
    const list = [...nids];
    const serverNames = await names.serverNames(list);
    const nameOf = new Map<number, ServerName>(list.map((nid, at) => [nid, serverNames[at]!]));
    const of = (nid: number): Destination => destinations.of(nid, nameOf.get(nid)!);
    for (const [nid, sentPos] of lagging) of(nid).fallBehind(sentPos);
    for (const [nid, rooms] of missed) if (!lagging.has(nid)) of(nid).fallBehind(pos, rooms);
    for (const { server_nid: nid } of targeted) if (!lagging.has(nid) && !missed.has(nid)) of(nid).fallBehind(pos, []);
    for (const { server_nid: nid, edus } of waiting) {
      if (edus > limits.federationEdusKeptMax)
        db.write((unit) => unit.run(trimEdusFor, { server: nid, kept: limits.federationEdusKeptMax }));
      of(nid).edusWait();
    }
    this.#hasResumed = true;
    this.#progress.note();
  }

  /** Of each server: the rooms in which something came in between. */
  async #missedRooms(after: number, upTo: number): Promise<Map<number, number[]>> {
    const { db } = this.#deps.rooms;
    const missed = new Map<number, number[]>();
    if (after >= upTo) return missed;
    const ord = firstOrdAfter(after) - 1;
    for (let above = 0; !this.#isClosed;) {
      const rows = await db.all(roomsWithNewsAfter, { above, ord, limit: roomsPerRead });
      for (const { room, has_news: hasNews } of rows) {
        if (hasNews === 0) continue;
        for (const serverNid of (await this.#roomServers.of(room)).keys()) {
          const rooms = missed.get(serverNid);
          if (rooms === undefined) missed.set(serverNid, [room]);
          else rooms.push(room);
        }
      }
      const last = rows.at(-1);
      if (last === undefined || rows.length < roomsPerRead) break;
      above = last.room;
    }
    return missed;
  }

  #handedOutPos(): number | undefined {
    if (!this.#hasResumed) return undefined;
    const [oldest] = this.#unplaced;
    return oldest === undefined ? this.#followedPos : oldest - 1;
  }

  *#lagging(): Generator<readonly [number, number]> {
    for (const { serverNid, sentPos } of this.#started.all()) if (sentPos !== undefined) yield [serverNid, sentPos];
  }
}
