/** What administrators see of other servers, with the meaning that Synapse's admin API gives it, and more. */
import { MatrixError, notFound } from '../../matrix/errors.ts';
import type { ServerName } from '../../matrix/ids/ids.ts';
import { limits } from '../../platform/limits.ts';
import type { RoomsContext } from '../../rooms/context.ts';
import { firstOrdAfter } from '../../rooms/pagination-token.ts';
import {
  destinationNamed,
  type DestinationListRow,
  type DestinationOrder,
  destinationsCount,
  destinationsPage,
  edusWaitingFor,
  ownEventsBetween,
  sharedRoomsCount,
  sharedRoomsPage,
  unsentEvents,
} from '../../storage/stores/outgoing-store.ts';
import type { DestinationHealth } from '../client/destinations.ts';
import type { Destination } from './destination.ts';

export interface AdministrationParts {
  readonly rooms: Pick<RoomsContext, 'db' | 'names' | 'localServers' | 'clock'>;
  readonly health: ServersHealth;
  find(server: ServerName): Destination | undefined;
}
/** The client of federation implements it. */
export interface ServersHealth {
  load(server: ServerName): Promise<DestinationHealth | undefined>;
  findFailing(server: ServerName): DestinationHealth | undefined;
  heardFrom(server: ServerName): void;
}
export interface ListPage<Order> {
  readonly from: number;
  readonly limit: number;
  readonly order: Order;
  readonly direction: 'f' | 'b';
}

/** Times in milliseconds since the Unix epoch. */
export interface ListedDestination {
  readonly destination: string;
  /** 0: it was not in vain the last time. */
  readonly retryLastTs: number;
  readonly retryIntervalMs: number;
  readonly failureTs: number | null;
  readonly lastSentPos: number | null;
}
export interface DestinationDetails {
  readonly destination: string;
  /** Why it was not sent everything, in a sentence; or that it was. */
  readonly why: string;
  readonly eventsBehind: number;
  /** More than that many are not counted. */
  readonly eventsBehindMax: number;
  /** Since the oldest event that it was not sent. */
  readonly msBehind: number;
  readonly edusWaiting: number;
  readonly eventsInMemory: number;
  readonly failures: number;
  readonly failingSinceTs: number | null;
  readonly retryTs: number | null;
  readonly lastError: string | null;
  readonly lastSuccessTs: number | null;
}

export class DestinationAdministration {
  readonly #parts: AdministrationParts;

  constructor(parts: AdministrationParts) {
    this.#parts = parts;
  }

  async list(page: ListPage<DestinationOrder>) {
    const locals = await this.#locals();
    const { db } = this.#parts.rooms;
    const direction = page.direction === 'f' ? ('asc' as const) : ('desc' as const);
    const rows = await db.dynamic((q) => destinationsPage(q, { ...page, direction }, locals));
    const [count] = await db.dynamic((q) => destinationsCount(q, locals));
    return listed(
      rows.map((row) => this.#listed(row)),
      count?.total ?? 0,
      page,
    );
  }

  /** Throws 404 M_NOT_FOUND for a server with which we have nothing to do. */
  async get(server: ServerName): Promise<ListedDestination> {
    return this.#listed(await this.#row(server));
  }

  /** The rooms that are shared with the server, by id. Throws as `get`. */
  async rooms(server: ServerName, page: Omit<ListPage<never>, 'order'>) {
    const nid = (await this.#row(server)).server_nid ?? 0;
    const { db } = this.#parts.rooms;
    const direction = page.direction === 'f' ? ('asc' as const) : ('desc' as const);
    const rows = await db.dynamic((q) => sharedRoomsPage(q, nid, { ...page, direction }));
    const total = (await db.one(sharedRoomsCount, { server: nid }))?.total ?? 0;
    const before = firstOrdAfter(this.#parts.find(server)?.sentPos ?? db.committedPos());
    const locals = await this.#locals();
    const shared = await Promise.all(
      rows.map(async ({ room, room_id: roomId }) => {
        const last = await db.one(ownEventsBetween, { room, after: 0, before, locals, limit: 1 });
        return { roomId, lastSentPos: last?.pos ?? 0 };
      }),
    );
    return listed(shared, total, page);
  }

  /** It is tried at once. Throws as `get`; 400 M_UNKNOWN where nothing is to be reset. */
  async reset(server: ServerName): Promise<void> {
    const { retryLastTs } = await this.get(server);
    const destination = this.#parts.find(server);
    if (retryLastTs === 0 && destination?.isFailing !== true)
      throw new MatrixError(400, 'M_UNKNOWN', 'The retry timing does not need to be reset for this destination.');
    this.#parts.health.heardFrom(server);
    destination?.tryNow(true);
  }

  /** How far behind a server is, and why. Throws as `get`. */
  async details(server: ServerName): Promise<DestinationDetails> {
    const nid = (await this.#row(server)).server_nid ?? 0;
    const { rooms, health, find } = this.#parts;
    const destination = find(server);
    const known = await health.load(server);
    const sentPos = destination?.sentPos;
    const max = limits.federationUnsentCountedMax;
    const unsent = sentPos === undefined ? undefined : await this.#unsent(nid, sentPos, max);
    const lastError = destination?.contact.lastError ?? known?.lastError ?? null;
    const retryTs = destination?.contact.retryTs ?? (known?.failures === 0 ? null : (known?.retryTs ?? null));
    const nowTs = rooms.clock.nowMs();
    return {
      destination: server,
      why: whyBehind(destination, lastError, unsent?.events ?? 0, retryTs === null ? 0 : retryTs - nowTs),
      eventsBehind: unsent?.events ?? 0,
      eventsBehindMax: max,
      msBehind: unsent?.oldest_ts == null ? 0 : Math.max(0, nowTs - unsent.oldest_ts),
      edusWaiting: (await rooms.db.one(edusWaitingFor, { server: nid }))?.edus ?? 0,
      eventsInMemory: destination?.backlog.count ?? 0,
      failures: Math.max(known?.failures ?? 0, destination?.contact.failures ?? 0),
      failingSinceTs: known?.failingSinceTs ?? destination?.contact.firstFailureTs ?? null,
      retryTs,
      lastError,
      lastSuccessTs: destination?.contact.lastSuccessTs ?? known?.lastSuccessTs ?? null,
    };
  }

  async #unsent(server: number, sentPos: number, limit: number) {
    const ord = firstOrdAfter(sentPos) - 1;
    return this.#parts.rooms.db.one(unsentEvents, { server, ord, locals: await this.#locals(), limit });
  }

  async #row(server: ServerName): Promise<DestinationListRow> {
    const locals = await this.#locals();
    const [row] = await this.#parts.rooms.db.dynamic((q) => destinationNamed(q, server, locals));
    if (row === undefined) throw notFound('Unknown destination');
    return row;
  }

  #locals(): Promise<number[]> {
    const { names, localServers } = this.#parts.rooms;
    return names.serverNids(localServers.names());
  }

  /** What is in memory is newer than the row. */
  #listed(row: DestinationListRow): ListedDestination {
    const server = row.name as ServerName;
    const destination = this.#parts.find(server);
    const failing = this.#parts.health.findFailing(server);
    const contact = destination?.contact;
    const sinceTs = failing?.failingSinceTs ?? contact?.firstFailureTs;
    const retryTs = Math.max(failing?.retryTs ?? 0, contact?.retryTs ?? 0);
    const nominalMs = limits.federationRetryMs * 2 ** Math.min((failing?.failures ?? contact?.failures ?? 1) - 1, 30);
    const lastTs =
      contact?.lastFailureTs ?? Math.max(sinceTs ?? 0, retryTs - Math.min(nominalMs, limits.federationRetryMsMax));
    const isFailing = sinceTs !== undefined;
    return {
      destination: server,
      retryLastTs: isFailing ? lastTs : 0,
      retryIntervalMs: isFailing ? Math.max(0, retryTs - lastTs) : 0,
      failureTs: sinceTs ?? null,
      lastSentPos: contact?.lastSentPos ?? destination?.sentPos ?? row.sent_pos,
    };
  }
}

export type { DestinationOrder } from '../../storage/stores/outgoing-store.ts';
export const destinationOrders = [
  'destination',
  'retry_last_ts',
  'retry_interval',
  'failure_ts',
  'last_successful_stream_ordering',
] as const;

function listed<Row>(rows: readonly Row[], total: number, { from }: Pick<ListPage<never>, 'from'>) {
  const next = from + rows.length;
  return { rows, total, next: rows.length > 0 && next < total ? next : undefined };
}

function whyBehind(
  destination: Destination | undefined,
  lastError: string | null,
  events: number,
  retryInMs: number,
): string {
  if (destination?.isFailing === true || (lastError !== null && retryInMs > 0)) {
    const when = retryInMs > 0 ? `it is tried again in ${Math.ceil(retryInMs / 1_000)} s` : 'it is being tried again';
    return `it cannot be reached (${lastError ?? 'no reason is known'}); ${when}`;
  }
  if (destination === undefined || destination.sentPos === undefined) return 'it has been sent everything';
  if (destination.backlog.isBehind) return `it is being sent what it missed; ${events} events are left`;
  return 'what has just happened is being sent';
}
