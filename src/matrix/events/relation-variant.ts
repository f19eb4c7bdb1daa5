import { sha256 } from '../crypto/content-hash.ts';
import { isJsonObject, type JsonObject } from '../json/json-value.ts';
import type { Relation } from './relations.ts';

/**
 * Which of one sender's relations to one event stand for the same: for a valid edit its type, which must be that of the
 * original; for an annotation what it says, with its type, hashed, because keys have any length. '' for all others, edits
 * that cannot be valid included.
 * https://spec.matrix.org/v1.19/client-server-api/#validity-of-replacement-events
 * https://spec.matrix.org/v1.19/client-server-api/#avoiding-duplicate-annotations
 */
export function relationVariant(
  event: { readonly type: string; readonly stateKey: string | undefined; readonly content: JsonObject },
  { relType, key }: Relation,
): string {
  if (relType === 'm.annotation') return key === undefined ? '' : sha256(JSON.stringify([event.type, key]));
  return relType === 'm.replace' && mayReplace(event) ? event.type : '';
}

/** What is encrypted has its new content where only clients see it. */
function mayReplace({ type, stateKey, content }: Parameters<typeof relationVariant>[0]): boolean {
  return stateKey === undefined && (type === 'm.room.encrypted' || isJsonObject(content['m.new_content']));
}
