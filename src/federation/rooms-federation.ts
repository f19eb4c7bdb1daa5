/** What this server and others do in rooms together: made when rooms are there. */
import type { UserId } from '../matrix/ids/ids.ts';
import { isJsonObject, type JsonObject } from '../matrix/json/json-value.ts';
import type { Logger } from '../platform/log.ts';
import type { Metrics } from '../platform/metrics.ts';
import type { Clock, OutgoingHttp, Random, Timers } from '../platform/ports.ts';
import type { RoomsContext } from '../rooms/context.ts';
import type { Typing } from '../rooms/typing.ts';
import { type Answers, createAnswers } from './answers/index.ts';
import { createHistory, type History } from './history/index.ts';
import type { Federation } from './index.ts';
import { createKeyValidity } from './membership/key-validity.ts';
import { createMemberships, type Memberships } from './membership/index.ts';
import { fetchEventsBy } from './partial/fetch-events.ts';
import { PartialStates } from './partial/partial-states.ts';
import type { DeviceLists, DeviceMessages, LocalUsers } from './ports.ts';
import { createRemoteDirectory, type RemoteDirectory } from './query/remote-directory.ts';
import type { FederationPolicy } from './policy/federation-policy.ts';
import { createReceiving, type Receiving } from './receive/index.ts';
import type { PresenceReceiver } from './receive/ports.ts';
import { DestinationAdministration } from './send/administration.ts';
import { createSender, type FederationSender } from './send/index.ts';
import type { KeyContents, PresenceContents } from './send/sender-dependencies.ts';
import { createRemoteRooms, type RemoteRooms } from './remote-rooms.ts';

export interface RoomsFederationParts {
  readonly federation: Federation;
  /** false: nothing is sent; once it is true again, what was missed is. */
  readonly isEnabled: boolean;
  readonly rooms: RoomsContext;
  readonly typing: Typing;
  readonly presence: PresenceReceiver & PresenceContents;
  readonly users: LocalUsers;
  readonly encryption: DeviceMessages & KeyContents & { readonly remoteLists: DeviceLists };
  readonly http: OutgoingHttp;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly random: Random;
  readonly metrics: Metrics;
  readonly log: Logger;
  readonly onFailed: (error: unknown) => void;
}

export interface RoomsFederation {
  readonly remoteRooms: RemoteRooms;
  readonly remoteDirectory: RemoteDirectory;
  readonly receiving: Receiving;
  readonly memberships: Memberships;
  readonly sender: FederationSender;
  readonly answers: Answers;
  readonly history: History;
  readonly destinations: DestinationAdministration;
  readonly partialStates: PartialStates;
  /** Goes on with what was under way when the server ended. To be called once, before anybody is served. */
  start(): Promise<void>;
  close(): Promise<void>;
}

/** Without messages for those who may have nothing to do with other servers. */
function permitted(content: JsonObject, rights: Pick<FederationPolicy, 'mayFederate'>): JsonObject {
  const { messages } = content;
  if (!isJsonObject(messages)) return content;
  const kept = Object.entries(messages).filter(([userId]) => rights.mayFederate(userId as UserId));
  return { ...content, messages: Object.fromEntries(kept) };
}

export function createRoomsFederation(parts: RoomsFederationParts): RoomsFederation {
  const { federation, log, isEnabled } = parts;
  const { client, destinations: health, policy } = federation;
  const remoteRooms = createRemoteRooms(client);
  const { verifier, keyRing: keys } = federation;
  const later = { fetchEvents: fetchEventsBy(() => ({ remoteRooms, receiving })) };
  const ways = { client, keys, verifier, keyValidity: createKeyValidity(parts.http), later };
  const memberships = createMemberships({ ...parts, ...ways });
  const receiving: Receiving = createReceiving({
    ...parts,
    remoteRooms,
    verifier,
    onNotice: (message, details) => log.warn(details, message),
  });
  const { encryption } = parts;
  receiving.edus.register('m.direct_to_device', (origin, contents) =>
    encryption.receiveToDevice(origin, policy.isRestricted ? contents.map((one) => permitted(one, policy)) : contents),
  );
  const { remoteLists } = encryption;
  receiving.edus.register('m.device_list_update', (origin, contents) =>
    remoteLists.receiveDeviceLists(origin, contents),
  );
  receiving.edus.register('m.signing_key_update', (origin, contents) =>
    remoteLists.receiveSigningKeys(origin, contents),
  );
  const sender = createSender({ ...parts, client, health, deviceKeys: encryption });
  const find = sender.find.bind(sender);
  const destinations = new DestinationAdministration({ rooms: parts.rooms, health, find });
  const partialStates = new PartialStates({
    ...parts,
    receiving: receiving.ctx,
    client,
    states: verifier,
    wake: (room) => receiving.workers.wake(room),
    missed: (servers, room, since) => sender.missed(servers, room, since),
    onProgress: (message, details) => log.info(details, message),
  });
  const stopListening = [
    health.onRecovered((server, failedForMs) => {
      sender.heardFrom(server);
      remoteLists.serverReturned(server, failedForMs);
      partialStates.heardFrom();
    }),
    policy.onChanged(() => sender.retryWhere((server) => policy.maySendTo(server))),
  ];
  const history = createHistory({ ...parts, remoteRooms, receiving });
  return {
    remoteRooms,
    remoteDirectory: createRemoteDirectory(client),
    receiving,
    memberships,
    sender,
    history,
    answers: createAnswers(parts.rooms, parts),
    destinations,
    partialStates,
    async start() {
      await receiving.resume();
      if (!isEnabled) return;
      await remoteLists.start();
      await sender.start();
      await partialStates.resume();
    },
    async close() {
      for (const stop of stopListening) stop();
      await Promise.all([history.close(), partialStates.close()]);
      await Promise.all([receiving.close(), sender.close()]);
    },
  };
}
