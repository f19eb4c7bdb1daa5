/** What other servers tell of spaces. https://spec.matrix.org/v1.19/server-server-api/#get_matrixfederationv1hierarchyroomid */
import type { RoomId, ServerName } from '../../matrix/ids/ids.ts';
import { isRoomId } from '../../matrix/ids/room-id.ts';
import { isUserId } from '../../matrix/ids/user-id.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../../matrix/json/json-value.ts';
import { limits } from '../../platform/limits.ts';
import { Lru } from '../../platform/lru.ts';
import type { Clock } from '../../platform/ports.ts';
import { compareChildren, type SpaceChild, spaceChildOf } from '../../rooms/hierarchy/space-children.ts';
import type { RemoteRoomPreview, RemoteSpace, RemoteSpaces } from '../../rooms/ports.ts';
import type { FederationClient } from '../contract.ts';
import { FederationError } from '../federation-error.ts';
import { federationPath } from '../federation-path.ts';
import { askForJsonText } from './ask-for-json.ts';
import { remotePreview } from './remote-summary.ts';

interface Kept {
  readonly answer: RemoteSpace | 'nothing';
  readonly untilMs: number;
  readonly bytes: number;
}

/** What is told is kept by who told it, so that no server has a say in what another one tells. */
export function createRemoteSpaces(client: FederationClient, clock: Clock): RemoteSpaces {
  const kept = new Lru<string, Kept>({ sizeMax: limits.remoteSpacesKeptBytesMax, sizeOf: ({ bytes }) => bytes });
  const asked = new Map<string, Promise<RemoteSpace | 'nothing'>>();
  const ask = async (server: ServerName, roomId: RoomId): Promise<RemoteSpace | 'nothing'> => {
    const { answer, bytes } = await load(client, server, roomId);
    const keptMs = answer === 'nothing' ? limits.remoteSpaceMissingKeptMs : limits.remoteSpaceKeptMs;
    kept.set(`${server} ${roomId}`, { answer, untilMs: clock.nowMs() + keptMs, bytes: bytes + entryBytes });
    return answer;
  };
  return {
    recall(server, roomId) {
      const known = kept.find(`${server} ${roomId}`);
      return known !== undefined && known.untilMs > clock.nowMs() ? known.answer : undefined;
    },
    ask(server, roomId) {
      const question = `${server} ${roomId}`;
      const running = asked.get(question);
      if (running !== undefined) return running;
      const answer = ask(server, roomId).finally(() => asked.delete(question));
      asked.set(question, answer);
      return answer;
    },
  };
}

/** What an entry costs beside its answer. */
const entryBytes = 500;

async function load(client: FederationClient, destination: ServerName, roomId: RoomId) {
  try {
    const { json, bytes } = await askForJsonText(client, {
      destination,
      method: 'GET',
      path: federationPath`/_matrix/federation/v1/hierarchy/${roomId}`,
      responseBytesMax: limits.remoteSpaceBytesMax,
    });
    return { answer: remoteSpace(destination, roomId, json), bytes };
  } catch (error) {
    if (error instanceof FederationError) return { answer: 'nothing', bytes: 0 } as const;
    throw error;
  }
}

/** Children and rooms that are not described as they should be are left out. Throws FederationError for an answer about another room. */
function remoteSpace(
  server: ServerName,
  roomId: RoomId,
  { room, children, inaccessible_children: none }: JsonObject,
): RemoteSpace {
  const preview = room === undefined ? undefined : remotePreview(room);
  if (preview?.room_id !== roomId || !isJsonObject(room))
    throw new FederationError(server, 'unusable', 'an answer that is not what was asked for: it is about another room');
  const own = childrenIn(room['children_state']);
  const ids = new Set(own.map((child) => child.roomId));
  const told = new Map<RoomId, RemoteRoomPreview>();
  for (const child of arrayIn(children)) {
    const described = remotePreview(child);
    if (described !== undefined && ids.has(described.room_id)) told.set(described.room_id, described);
  }
  const inaccessible = new Set(arrayIn(none).filter((id): id is RoomId => isRoomId(id) && ids.has(id)));
  return { room: preview, children: own, told, inaccessible };
}

function childrenIn(value: JsonValue | undefined): readonly SpaceChild[] {
  const children = arrayIn(value).flatMap((event) => childIn(event) ?? []);
  return children.toSorted(compareChildren);
}

function childIn(event: JsonValue): SpaceChild | undefined {
  if (!isJsonObject(event)) return undefined;
  const { type, state_key: stateKey, sender, content, origin_server_ts: originServerTs } = event;
  if (type !== 'm.space.child' || typeof stateKey !== 'string' || !isUserId(sender)) return undefined;
  if (!isJsonObject(content) || !Number.isSafeInteger(originServerTs)) return undefined;
  return spaceChildOf(stateKey, event);
}

const arrayIn = (value: JsonValue | undefined): readonly JsonValue[] =>
  Array.isArray(value) ? value.slice(0, limits.remoteSpaceChildrenMax) : [];
