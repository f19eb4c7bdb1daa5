/** What of an event can be searched. https://spec.matrix.org/v1.19/client-server-api/#room_events Pure. */
import { type JsonObject, type JsonValue, isJsonObject } from '../matrix/json/json-value.ts';
import { wordsOf } from '../matrix/text/words.ts';
import { limits } from '../platform/limits.ts';
import type { Database } from '../storage/database.ts';

/** A key that can be searched, and the events that have it. */
export const searchKeys = {
  'content.body': 'm.room.message',
  'content.name': 'm.room.name',
  'content.topic': 'm.room.topic',
} as const;
export type SearchKey = keyof typeof searchKeys;

interface Indexable {
  readonly type: string;
  /** Of state events. */
  readonly stateKey: string | undefined;
  readonly content: JsonObject;
}

/** '': nothing. */
export function searchedTextOf({ type, stateKey, content }: Indexable): string {
  if (type === 'm.room.message') return stateKey === undefined ? textOf(content['body']) : '';
  if (stateKey !== '') return '';
  if (type === 'm.room.name') return textOf(content['name']);
  return type === 'm.room.topic' ? topicOf(content) : '';
}

/** The plain topic, and what the richer one says otherwise. */
function topicOf({ topic, 'm.topic': rich }: JsonObject): string {
  const { 'm.text': representations = [] } = isJsonObject(rich) ? rich : {};
  const plain = (Array.isArray(representations) ? representations : []).find(
    (one: JsonValue) => isJsonObject(one) && (one['mimetype'] ?? 'text/plain') === 'text/plain',
  );
  const richText = isJsonObject(plain) ? textOf(plain['body']) : '';
  const text = textOf(topic);
  return richText === '' || richText === text ? text : `${text} ${richText}`;
}

const textOf = (value: JsonValue | undefined): string => (typeof value === 'string' ? value : '');

/** The words of an entry, as the engine is given them. undefined: there is nothing to find. */
export function searchEntryOf(engine: Database['engine'], room: number, text: string): string | undefined {
  const words = wordsOf(text);
  if (words.length === 0) return undefined;
  if (words.length > limits.searchedWordsMax) words.length = limits.searchedWordsMax;
  return engine === 'sqlite' ? `${roomWord(room)} ${words.join(' ')}` : vectorOf(roomWord(room), words);
}

/** A tsvector. */
function vectorOf(ofRoom: string, words: readonly string[]): string {
  const places = new Map<string, number[]>();
  for (const [index, word] of words.entries()) {
    const known = places.get(word);
    if (known === undefined) places.set(word, [index + 1]);
    else if (known.length < placesMax) known.push(index + 1);
  }
  const vector = Array.from(places, ([word, indexes]) => `'${word}':${indexes.join(',')}`);
  return `'${ofRoom}' ${vector.join(' ')}`;
}

/** More PostgreSQL does not keep. */
const placesMax = 255;

/** Stands for a room; no word of a text has the sign. */
export const roomWord = (room: number): string => `·${room}`;
