/** A reader that only syncs, and what it must have read: nothing missing, nothing twice, in the order of the room. */
import { isJsonObject, type JsonObject, type JsonValue } from '../../../src/matrix/json/json-value.ts';
import { type Link, roomPath } from './load.ts';

export interface ReadEvent {
  readonly eventId: string;
  readonly type: string;
  readonly sender: string;
  readonly stateKey: string | undefined;
  readonly content: JsonObject;
}

/** Syncs on from a token, keeps every event by room, and closes the gaps of limited timelines through /messages. */
export class Reader {
  readonly events = new Map<string, ReadEvent[]>();
  since: string;
  readonly #link: Link;
  readonly #token: string;
  #isStopping = false;

  constructor(link: Link, token: string, since: string) {
    this.#link = link;
    this.#token = token;
    this.since = since;
  }

  /** Long polls until `stop`, whatever becomes of the server meanwhile. */
  async run(): Promise<void> {
    while (!this.#isStopping) await this.step(2_000);
  }

  stop(): void {
    this.#isStopping = true;
  }

  /** Until a sync brings nothing more. */
  async catchUp(): Promise<void> {
    while (await this.step(0));
  }

  /** One sync. Says whether it brought any event. */
  async step(timeoutMs: number): Promise<boolean> {
    const { since } = this;
    const query = new URLSearchParams({ since, timeout: String(timeoutMs), filter: timelineFilter });
    const { json: answer } = await this.#link.insist('GET', `/_matrix/client/v3/sync?${query}`, this.#token);
    const joined = objectAt(answer, 'rooms', 'join');
    for (const [roomId, room] of Object.entries(joined)) {
      const timeline = objectAt(room, 'timeline');
      const events = readEvents(timeline['events']);
      const gap = timeline['limited'] === true ? await this.#fill(roomId, String(timeline['prev_batch']), since) : [];
      this.events.set(roomId, [...(this.events.get(roomId) ?? []), ...gap, ...events]);
    }
    this.since = String(answer['next_batch']);
    return Object.keys(joined).length > 0;
  }

  async #fill(roomId: string, from: string, to: string): Promise<ReadEvent[]> {
    return (await messages(this.#link, this.#token, roomId, { dir: 'b', from, to })).reverse();
  }
}

/** Few, so that gaps occur. */
const timelineFilter = JSON.stringify({ room: { timeline: { limit: 20 } } });

/** All pages of /messages. */
export async function messages(
  link: Link,
  token: string,
  roomId: string,
  range: { readonly dir: 'b' | 'f'; readonly from?: string; readonly to?: string },
): Promise<ReadEvent[]> {
  const events: ReadEvent[] = [];
  let from = range.from;
  do {
    const query = new URLSearchParams({ ...range, limit: '100', ...(from === undefined ? {} : { from }) });
    const { json: page } = await link.insist('GET', `${roomPath(roomId)}/messages?${query}`, token);
    events.push(...readEvents(page['chunk']));
    from = typeof page['end'] === 'string' ? page['end'] : undefined;
  } while (from !== undefined);
  return events;
}

/** The room's current state. */
export async function currentState(link: Link, token: string, roomId: string): Promise<Record<string, string>> {
  const { text } = await link.insist('GET', `${roomPath(roomId)}/state`, token);
  return foldState(readEvents(JSON.parse(text)));
}

/** The ids of the last state events by type and key. */
export function foldState(events: readonly ReadEvent[]): Record<string, string> {
  return Object.fromEntries(
    events.flatMap(({ type, stateKey, eventId }) => (stateKey === undefined ? [] : [[`${type}|${stateKey}`, eventId]])),
  );
}

function readEvents(value: JsonValue | undefined): ReadEvent[] {
  if (!Array.isArray(value)) throw new Error('the server gave no list of events');
  return value.filter(isJsonObject).map((event) => ({
    eventId: String(event['event_id']),
    type: String(event['type']),
    sender: String(event['sender']),
    stateKey: typeof event['state_key'] === 'string' ? event['state_key'] : undefined,
    content: objectAt(event, 'content'),
  }));
}

function objectAt(value: JsonValue | undefined, ...path: readonly string[]): JsonObject {
  let at = value;
  for (const name of path) at = isJsonObject(at) ? at[name] : undefined;
  return isJsonObject(at) ? at : {};
}
