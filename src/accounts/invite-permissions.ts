/** Who may invite the users of this server, by their account data. Kept in memory; a change counts from the moment of its commit. */
import type { UserId } from '../matrix/ids/ids.ts';
import {
  compileInvitePermission,
  everybodyMayInvite,
  type InvitePermission,
} from '../matrix/invite-permission/invite-permission.ts';
import type { JsonObject } from '../matrix/json/json-value.ts';
import { limits } from '../platform/limits.ts';
import { Lru } from '../platform/lru.ts';
import type { Database } from '../storage/database.ts';
import { accountDataOfTypes, noRoom } from '../storage/stores/account-data-store.ts';

const blockingTypes: readonly string[] = ['m.invite_permission_config', 'org.matrix.msc4380.invite_permission_config'];
const filteringType = 'org.matrix.msc4155.invite_permission_config';
const types: readonly string[] = [...blockingTypes, filteringType];

export const isInvitePermissionType = (type: string): boolean => types.includes(type);

declare module '../storage/database.ts' {
  interface WakeKinds {
    /** Who may invite the user changed: what is derived from it is out of date. */
    'invite-permission': { readonly userNid: number };
  }
}

export class InvitePermissions {
  readonly #db: Database;
  /** The server's own notices reach everybody. */
  readonly #noticesUser: UserId;
  readonly #known = new Lru<number, InvitePermission>({ sizeMax: limits.knownIgnorersMax });
  /** Grows with every change, so that what was read before one is not kept after it. */
  #version = 0;

  constructor(db: Database, noticesUser: UserId) {
    this.#db = db;
    this.#noticesUser = noticesUser;
    db.onCommitted(({ wakes }) => {
      for (const wake of wakes)
        if (wake.kind === 'invite-permission') {
          this.#version++;
          this.#known.delete(wake.userNid);
        }
    });
  }

  mustBeAccepted(inviter: UserId): boolean {
    return inviter === this.#noticesUser;
  }

  async of({ userNid: user }: { readonly userNid: number }): Promise<InvitePermission> {
    const known = this.#known.find(user);
    if (known !== undefined) return known;
    const version = this.#version;
    const rows = await this.#db.all(accountDataOfTypes, { user, room: noRoom, types });
    const permission = rows.length === 0 ? everybodyMayInvite : this.#permissionFrom(rows);
    if (version === this.#version) this.#known.set(user, permission);
    return permission;
  }

  #permissionFrom(rows: readonly { readonly type: string; readonly json: string | null }[]): InvitePermission {
    const contents = rows.flatMap(({ type, json }) =>
      json === null ? [] : [{ type, content: JSON.parse(json) as JsonObject }],
    );
    const blocking = contents.filter(({ type }) => blockingTypes.includes(type)).map(({ content }) => content);
    const filtering = contents.find(({ type }) => type === filteringType)?.content;
    const permission = compileInvitePermission(blocking, filtering);
    if (permission === everybodyMayInvite) return permission;
    return { decide: (inviter) => (inviter === this.#noticesUser ? 'allow' : permission.decide(inviter)) };
  }
}
