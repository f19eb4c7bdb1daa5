import { redactContent, survivesRedaction } from '../events/redact.ts';
import { canonicalJsonOf, sortedKeys, writeString } from '../json/canonical-json.ts';
import type { JsonObject } from '../json/json-value.ts';
import type { RoomVersionRules } from '../room-versions/rules.ts';

/** The canonical texts of one event, joined from the texts of its properties, each of which is written once. */
export class EventTexts {
  readonly #pdu: JsonObject;
  readonly #rules: RoomVersionRules;
  /** In canonical order; `content`, `hashes` and `signatures` are always among them. */
  readonly #keys: readonly string[];
  /** The canonical text of each property with its key; empty: the event lacks it. */
  readonly #members: readonly string[];

  /** Throws CanonicalJsonError when the event has no canonical form in its room version. */
  constructor(pdu: JsonObject, rules: RoomVersionRules) {
    const write = canonicalJsonOf(rules);
    this.#pdu = pdu;
    this.#rules = rules;
    this.#keys = sortedKeys({ content: undefined, hashes: undefined, signatures: undefined, ...pdu });
    this.#members = this.#keys.map((key) => {
      const value = pdu[key];
      return value === undefined ? '' : member(key, write(value));
    });
  }

  /** What the content hash covers: all but `hashes`, `signatures` and `unsigned`. */
  hashed(): string {
    return this.#join((key, text) => (key === 'hashes' || key === 'signatures' || key === 'unsigned' ? '' : text));
  }

  /**
   * What the reference hash covers and what is signed: the redacted event without signatures. `hashes`: its canonical text,
   * in place of the event's own.
   */
  signable(hashes?: string): string {
    return this.#join((key, text) => {
      if (key === 'content') return member(key, this.#redactedContent());
      if (key === 'hashes' && hashes !== undefined) return member(key, hashes);
      return text !== '' && key !== 'signatures' && survivesRedaction(key, this.#rules) ? text : '';
    });
  }

  /** The whole event. `hashes` and `signatures`: canonical texts in place of the event's own. */
  whole(hashes?: string, signatures?: string): string {
    return this.#join((key, text) => {
      if (key === 'hashes' && hashes !== undefined) return member(key, hashes);
      return key === 'signatures' && signatures !== undefined ? member(key, signatures) : text;
    });
  }

  #redactedContent(): string {
    return canonicalJsonOf(this.#rules)(redactContent(this.#pdu['type'], this.#pdu['content'], this.#rules));
  }

  #join(choose: (key: string, text: string) => string): string {
    const chosen: string[] = [];
    for (let index = 0; index < this.#keys.length; index++) {
      const text = choose(this.#keys[index] as string, this.#members[index] as string);
      if (text !== '') chosen.push(text);
    }
    return `{${chosen.join(',')}}`;
  }
}

function member(key: string, value: string): string {
  return `${writeString(key)}:${value}`;
}
