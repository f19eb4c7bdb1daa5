/** The answer to a question for a room's state, as a thread keeps it until its events are verified or given up. */
import { MatrixError } from '../../matrix/errors.ts';
import { isJsonObject, type JsonObject } from '../../matrix/json/json-value.ts';
import { federationJsonDepthMax, parseJson } from '../../matrix/json/parse-json.ts';
import { isRawNumber } from '../../matrix/json/raw-number.ts';
import type { RoomVersionRules } from '../../matrix/room-versions/rules.ts';
import { limits } from '../../platform/limits.ts';
import type { WantedKey } from '../contract.ts';
import type { VerifyKeys } from '../keys/verify-keys.ts';
import { eventIdOf } from './event-ids.ts';
import { type KeyEntry, KeyTable } from './key-table.ts';
import { type OutcomeTexts, toOutcomeTexts, verifyHere } from './outcome-text.ts';
import { sliceState, type StateSlices } from './state-slices.ts';
import { wantedKeys } from './wanted-keys.ts';

/** What a thread says of a state. */
export type StateText =
  { readonly ok: true; readonly count: number } | { readonly ok: false; readonly message: string };

export class ReadState {
  readonly #bytes: Buffer;
  readonly #slices: StateSlices;
  /** Ids of events that are not wanted. */
  readonly #known: ReadonlySet<string>;
  readonly #rules: RoomVersionRules;
  #part: readonly JsonObject[] = [];

  /** Throws MatrixError for what is no state. */
  constructor(bytes: Uint8Array, known: readonly string[], rules: RoomVersionRules) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#slices = sliceState(this.#bytes, limits.remoteStateEventsMax);
    this.#known = new Set(known);
    this.#rules = rules;
  }

  get count(): number {
    return this.#slices.count;
  }

  /** Parses some of the events; gives the keys to check them with. What is no event is left out. */
  read(from: number, to: number): readonly WantedKey[] {
    const part: JsonObject[] = [];
    for (let index = from; index < Math.min(to, this.count); index++) {
      const pdu = this.#parse(index);
      if (pdu !== undefined && !this.#isKnown(pdu)) part.push(pdu);
    }
    this.#part = part;
    return wantedKeys(part);
  }

  /** Of those that were read last. */
  verify(keys: readonly KeyEntry[], verifyKeys: VerifyKeys): OutcomeTexts {
    return toOutcomeTexts(verifyHere(this.#part, this.#rules, new KeyTable(keys, verifyKeys)), this.#rules);
  }

  #parse(index: number): JsonObject | undefined {
    const { offsets } = this.#slices;
    try {
      const bytes = this.#bytes.subarray(offsets[2 * index]!, offsets[2 * index + 1]!);
      const pdu = parseJson(bytes, { depthMax: federationJsonDepthMax, numbers: 'exact' });
      return isJsonObject(pdu) && !isRawNumber(pdu) ? pdu : undefined;
    } catch (error) {
      if (error instanceof MatrixError) return undefined;
      throw error;
    }
  }

  #isKnown(pdu: JsonObject): boolean {
    return this.#known.size > 0 && this.#known.has(eventIdOf(pdu, this.#rules) ?? '');
  }
}
