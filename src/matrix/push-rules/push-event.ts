import type { RoomEvent } from '../events/room-event.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../json/json-value.ts';
import { propertyAt } from '../json/property-path.ts';

/**
 * An event as push rules see it. What one ruleset has looked up and put into lower case serves the next one, so make one of
 * these per event and hand it to every evaluation.
 */
export class PushEvent {
  readonly #event: JsonObject;
  readonly #lowered = new Map<string, string | undefined>();
  /** Rules that look for mentions in the body do not apply then. */
  readonly hasMentions: boolean;

  /** `event`: as clients get it, with room_id and event_id. */
  constructor(event: JsonObject) {
    this.#event = event;
    const { content } = event;
    this.hasMentions = isJsonObject(content) && Object.hasOwn(content, 'm.mentions');
  }

  property(path: readonly string[]): JsonValue | undefined {
    return propertyAt(this.#event, path);
  }

  /** The property's text in lower case; undefined where it is no text. `key` is the path as one text. */
  lowered(key: string, path: readonly string[]): string | undefined {
    if (this.#lowered.has(key)) return this.#lowered.get(key);
    const value = propertyAt(this.#event, path);
    const text = typeof value === 'string' ? value.toLowerCase() : undefined;
    this.#lowered.set(key, text);
    return text;
  }

  /** In lower case, as `body`. */
  get roomId(): string | undefined {
    return this.lowered('room_id', roomIdPath);
  }

  get body(): string | undefined {
    return this.lowered('content.body', bodyPath);
  }
}
const roomIdPath = ['room_id'];
const bodyPath = ['content', 'body'];

/** The event of a room as push rules see it: the fields that clients get, whatever the room version calls them. */
export function pushEventOf(event: RoomEvent): PushEvent {
  return new PushEvent({
    type: event.type,
    room_id: event.roomId,
    event_id: event.eventId,
    sender: event.sender,
    origin_server_ts: event.originServerTs,
    content: event.content,
    ...(event.stateKey === undefined ? {} : { state_key: event.stateKey }),
    ...(event.redacts === undefined ? {} : { redacts: event.redacts }),
  });
}
