/** Whether this server is in a room, and whether another server may take part in it: asked for every transaction. */
import type { ServerName } from '../../matrix/ids/ids.ts';
import type { RoomEvent } from '../../matrix/events/room-event.ts';
import { compileServerAcl, type ServerAcl } from '../../matrix/server-acl/server-acl.ts';
import { Lru } from '../../platform/lru.ts';
import type { RoomsContext } from '../../rooms/context.ts';
import type { RoomDag } from '../../rooms/dag/contract.ts';
import { serverJoinedIn } from '../../storage/stores/room-server-store.ts';

const roomsKnownMax = 10_000;

export class RoomDoors {
  readonly #ctx: RoomsContext;
  /** Whether somebody of this server is in the room. */
  readonly #inhabited = new Lru<number, { readonly is: boolean }>({ sizeMax: roomsKnownMax });
  /** By the event as it is: a redaction makes another object of it. */
  readonly #acls = new WeakMap<RoomEvent, ServerAcl>();
  readonly #unfollow: () => void;
  #localNids: readonly number[] | undefined;

  constructor(ctx: RoomsContext) {
    this.#ctx = ctx;
    this.#unfollow = ctx.db.onCommitted(({ wakes }) => {
      for (const wake of wakes) if (wake.kind === 'membership') this.#inhabited.delete(wake.room);
    });
  }

  async isInhabited({ room }: RoomDag): Promise<boolean> {
    const known = this.#inhabited.find(room);
    if (known !== undefined) return known.is;
    const pos = this.#ctx.db.committedPos();
    const localNids = (this.#localNids ??= await this.#ctx.names.serverNids(this.#ctx.localServers.names()));
    const is = (await this.#ctx.db.one(serverJoinedIn, { room, servers: localNids })) !== undefined;
    // What was committed while this was read may have changed it.
    if (pos === this.#ctx.db.committedPos()) this.#inhabited.set(room, { is });
    return is;
  }

  /** https://spec.matrix.org/v1.19/server-server-api/#server-access-control-lists-acls */
  async accessList(dag: RoomDag): Promise<ServerAcl> {
    const event = await dag.currentEvent('m.room.server_acl', '');
    if (event === undefined) return everybody;
    const known = this.#acls.get(event);
    if (known !== undefined) return known;
    const acl = compileServerAcl(event.content);
    this.#acls.set(event, acl);
    return acl;
  }

  async isAllowed(dag: RoomDag, server: ServerName): Promise<boolean> {
    return (await this.accessList(dag)).allows(server);
  }

  close(): void {
    this.#unfollow();
  }
}

const everybody: ServerAcl = compileServerAcl(undefined);
