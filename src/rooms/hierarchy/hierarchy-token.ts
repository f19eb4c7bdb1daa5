/** Where the next page of a hierarchy begins. The token is bound to what was asked. Pure. */
import { hash } from 'node:crypto';
import type { RoomId } from '../../matrix/ids/ids.ts';

/** What a token is bound to. */
export interface HierarchyScope {
  /** The space. */
  readonly roomId: RoomId;
  readonly isSuggestedOnly: boolean;
  readonly depthMax: number;
}

/** `last`: the room at `index` in the order of the walk, the last one of the page. */
export function formatHierarchyToken(scope: HierarchyScope, index: number, last: RoomId): string {
  return `${scopeText(scope)}.${index}.${digest(last)}`;
}

export interface HierarchyPlace {
  readonly index: number;
  readonly digest: string;
}
/** undefined: not a token of such a request. */
export function parseHierarchyToken(token: string, scope: HierarchyScope): HierarchyPlace | undefined {
  const prefix = `${scopeText(scope)}.`;
  const [, index, text] = /^(\d{1,9})\.([\w-]{16})$/.exec(token.slice(prefix.length)) ?? [];
  if (!token.startsWith(prefix) || index === undefined || text === undefined) return undefined;
  return { index: Number(index), digest: text };
}

/** The index behind the place, where rooms may have come, gone or moved since. */
export function indexBehind(order: readonly RoomId[], place: HierarchyPlace): number {
  const there = order[place.index];
  if (there !== undefined && digest(there) === place.digest) return place.index + 1;
  const moved = order.findIndex((roomId) => digest(roomId) === place.digest);
  return moved === -1 ? place.index : moved + 1;
}

const scopeText = ({ roomId, isSuggestedOnly, depthMax }: HierarchyScope): string =>
  `h${digest(roomId)}.${isSuggestedOnly ? 's' : 'a'}${depthMax}`;

const digest = (roomId: RoomId): string => hash('sha256', roomId, 'base64url').slice(0, 16);
