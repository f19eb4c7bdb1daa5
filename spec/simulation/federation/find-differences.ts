/** What all servers must agree upon when everything has arrived everywhere. */
import type { JsonObject } from '../../../src/matrix/json/json-value.ts';
import { limits } from '../../../src/platform/limits.ts';
import type { FederatedWorld, Homeserver } from './federated-world.ts';
import type { Mate, RandomMates, SharedRoom } from './random-mates.ts';
import { type EventRecord, readRoom } from './server-records.ts';

/** One sentence for each difference. */
export async function findDifferences(world: FederatedWorld, mates: RandomMates): Promise<string[]> {
  const problems: string[] = [];
  for (const room of mates.rooms) problems.push(...(await differencesIn(world, mates, room)));
  problems.push(...(await missingDeviceMessages(mates)));
  return problems;
}

/** A server with somebody in the room, and what it says of it. */
interface View {
  readonly server: Homeserver;
  readonly mate: Mate;
  /** Of the current state: ids by type and key. */
  readonly state: ReadonlyMap<string, string>;
  readonly events: ReadonlyMap<string, EventRecord>;
  readonly joined: readonly string[];
}

async function differencesIn(world: FederatedWorld, mates: RandomMates, room: SharedRoom): Promise<string[]> {
  const views: View[] = [];
  const problems: string[] = [];
  const at = `room ${room.roomId} (${room.version})`;
  for (const server of world.servers) {
    const mate = await mates.findMember(room, server);
    if (mate === undefined) continue;
    const view = await viewOf(server, mate, room);
    const { extremities = 0 } = readRoom(server.databasePath, room.roomId) ?? {};
    if (extremities > limits.extremitiesMax) problems.push(`${at}: ${server.name} has ${extremities} extremities`);
    views.push(view);
  }
  const [first, ...others] = views;
  if (first === undefined) return problems;
  const names = new Set(views.map(({ server }) => server.name));
  for (const userId of first.joined)
    if (!names.has(userId.slice(userId.indexOf(':') + 1)))
      problems.push(`${at}: ${first.server.name} takes ${userId} for joined, whose server does not`);
  for (const other of others) {
    problems.push(...stateDifferences(first, other).map((difference) => `${at}: ${difference}`));
    problems.push(...eventDifferences(first, other).map((difference) => `${at}: ${difference}`));
    problems.push(...eventDifferences(other, first).map((difference) => `${at}: ${difference}`));
  }
  for (const { eventId, server } of room.sent)
    for (const view of views)
      if (!view.events.has(eventId)) problems.push(`${at}: ${eventId} of ${server} is missing on ${view.server.name}`);
  return problems;
}

async function viewOf(server: Homeserver, mate: Mate, room: SharedRoom): Promise<View> {
  const path = `/_matrix/client/v3/rooms/${encodeURIComponent(room.roomId)}`;
  let from = '';
  for (let page = 0; page < pagesMax; page++) {
    const query = `?dir=b&limit=100${from === '' ? '' : `&from=${from}`}`;
    const { json } = await server.request({ method: 'GET', path: `${path}/messages${query}` }, mate);
    if (typeof json['end'] !== 'string') break;
    from = json['end'];
  }
  const events = readRoom(server.databasePath, room.roomId)?.events ?? new Map<string, EventRecord>();
  const { list } = await server.request({ method: 'GET', path: `${path}/state` }, mate);
  const state = new Map<string, string>();
  const joined: string[] = [];
  for (const event of list as readonly JsonObject[]) {
    state.set(`${String(event['type'])} '${String(event['state_key'])}'`, String(event['event_id']));
    const content = event['content'] as JsonObject;
    if (event['type'] === 'm.room.member' && content['membership'] === 'join') joined.push(String(event['state_key']));
  }
  return { server, mate, state, events, joined };
}

function stateDifferences(one: View, other: View): string[] {
  const keys = new Set([...one.state.keys(), ...other.state.keys()]);
  return [...keys].flatMap((key) => {
    const [mine, theirs] = [one.state.get(key), other.state.get(key)];
    return mine === theirs
      ? []
      : [`${key} is ${mine ?? 'absent'} on ${one.server.name}, ${theirs ?? 'absent'} on ${other.server.name}`];
  });
}

/** What one server has and the other has not, or has judged otherwise. */
function eventDifferences(one: View, other: View): string[] {
  const [mine, theirs] = [one.server.name, other.server.name];
  return [...one.events.values()].flatMap((event) => {
    const { eventId, type, sender, isRejected, isSoftFailed, isRedacted } = event;
    const what = `${eventId} (${type} of ${sender})`;
    const there = other.events.get(eventId);
    if (there === undefined)
      return isRejected || isSoftFailed ? [] : [`${what}, which ${mine} has, is missing on ${theirs}`];
    if (isRejected !== there.isRejected && isRejected) return [`${what} is rejected on ${mine}, not on ${theirs}`];
    // A redaction that came too late for a server, which had soft-failed it, does nothing there.
    const redaction = other.events.get(event.redactedBy ?? '');
    if (isRedacted && !there.isRedacted && redaction?.isSoftFailed !== true)
      return [`${what} is redacted on ${mine} by ${event.redactedBy}, not on ${theirs}`];
    return [];
  });
}

async function missingDeviceMessages(mates: RandomMates): Promise<string[]> {
  const arrived = new Map<string, number>();
  for (const mate of mates.mates) {
    let since = '';
    for (let page = 0; page < pagesMax; page++) {
      const path = `/_matrix/client/v3/sync?timeout=0${since === '' ? '' : `&since=${since}`}`;
      const { json } = await mate.server.request({ method: 'GET', path }, mate);
      since = String(json['next_batch']);
      const { events = [] } = (json['to_device'] ?? {}) as { readonly events?: readonly JsonObject[] };
      for (const { content } of events as readonly { content: { id: string } }[]) {
        const key = `${content.id} ${mate.userId}`;
        arrived.set(key, (arrived.get(key) ?? 0) + 1);
      }
      if (events.length === 0) break;
    }
  }
  return mates.deviceMessages.flatMap(({ id, from, to }) => {
    const times = arrived.get(`${id} ${to.userId}`) ?? 0;
    return times === 1 ? [] : [`message ${id} of ${from.userId} to a device of ${to.userId} came ${times} times`];
  });
}

const pagesMax = 50;
