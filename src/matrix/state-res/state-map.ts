import type { EventId } from '../ids/ids.ts';

declare const brand: unique symbol;
/** A (type, state_key) tuple as a map key. */
export type StateMapKey = string & { readonly [brand]: 'StateMapKey' };

/** https://spec.matrix.org/v1.19/rooms/v2/#definitions */
export type StateMap = ReadonlyMap<StateMapKey, EventId>;

/** Different for different tuples, whatever characters a hostile type or state_key contains. */
export function stateMapKey(type: string, stateKey: string): StateMapKey {
  return `${type.length} ${type}${stateKey}` as StateMapKey;
}
