/**
 * Events of a response in another form than the usual one: `event_fields` and `event_format` of the filter. Few clients ask
 * for it, so that it is done to the finished response, and costs those who do not ask nothing.
 * https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3useruseridfilter
 */
import { type EventFields, compileEventFields, selectFields } from '../matrix/filters/event-fields.ts';
import type { SyncFilter } from '../matrix/filters/sync-filter.ts';
import { type JsonObject, type JsonValue, isJsonObject } from '../matrix/json/json-value.ts';
import type { RoomsContext } from '../rooms/context.ts';
import { exactPduOf } from '../rooms/stored-event.ts';
import { eventsByIds } from '../storage/stores/timeline-store.ts';

/** `text`: JSON of a response of /sync. */
export async function inWantedForm(ctx: RoomsContext, filter: SyncFilter, text: string): Promise<string> {
  const { eventFields = [], eventFormat } = filter;
  // No field at all would be no event at all; a server may include more fields than were asked for.
  if (eventFields.length === 0 && eventFormat === 'client') return text;
  const response = JSON.parse(text) as JsonObject;
  const raw = eventFormat === 'federation' ? await rawEvents(ctx, response) : new Map<string, JsonObject>();
  const fields = eventFields.length === 0 ? undefined : compileEventFields(eventFields);
  return JSON.stringify(withEvents(response, (event) => inForm(event, raw, fields)));
}

function inForm(event: JsonObject, raw: ReadonlyMap<string, JsonObject>, fields: EventFields | undefined): JsonObject {
  const formed = raw.get(idOf(event) ?? '');
  // Its id and what this server says of it are no part of an event between servers; a client cannot do without them.
  const whole: JsonObject =
    formed === undefined ? event : { ...formed, event_id: event['event_id'], unsigned: event['unsigned'] };
  return fields === undefined ? whole : selectFields(whole, fields);
}

/** By event id. */
async function rawEvents(ctx: RoomsContext, response: JsonObject): Promise<ReadonlyMap<string, JsonObject>> {
  const ids = new Set<string>();
  withEvents(response, (event) => {
    const id = idOf(event);
    if (id !== undefined) ids.add(id);
    return event;
  });
  const eventIds = [...ids];
  const raw = new Map<string, JsonObject>();
  for (let i = 0; i < eventIds.length; i += sliceEvents)
    for (const row of await ctx.db.all(eventsByIds, { eventIds: eventIds.slice(i, i + sliceEvents) }))
      raw.set(row.event_id, exactPduOf(row));
  return raw;
}
const sliceEvents = 500;

const idOf = (event: JsonObject): string | undefined =>
  typeof event['event_id'] === 'string' ? event['event_id'] : undefined;

/** Replaces each event of every list of events, at the top of the response and in each room. */
function withEvents(response: JsonObject, change: (event: JsonObject) => JsonObject): JsonObject {
  const inList = (part: JsonValue | undefined): JsonValue | undefined =>
    isJsonObject(part) && Array.isArray(part['events'])
      ? { ...part, events: part['events'].map((event: JsonValue) => (isJsonObject(event) ? change(event) : event)) }
      : part;
  const { rooms } = response;
  return {
    ...mapValues(response, (part, name) => (isAddressed(name) ? part : inList(part))),
    ...(isJsonObject(rooms)
      ? {
          rooms: mapValues(rooms, (section) => mapValues(section, (room) => mapValues(room, (part) => inList(part)))),
        }
      : {}),
  };
}

/** What is sent to a device is no event of a room, and goes to it whole. */
const isAddressed = (name: string): boolean => name === 'to_device';

function mapValues(
  value: JsonValue | undefined,
  change: (value: JsonValue | undefined, name: string) => JsonValue | undefined,
): JsonObject {
  const entries = isJsonObject(value) ? Object.entries(value) : [];
  return Object.fromEntries(entries.map(([name, member]) => [name, change(member, name)]));
}
