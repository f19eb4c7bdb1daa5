/** Events that something refers to, from the server that said so. */
import type { EventId, RoomId, ServerName } from '../../matrix/ids/ids.ts';
import type { JsonObject } from '../../matrix/json/json-value.ts';
import { FederationError } from '../federation-error.ts';
import type { Receiving } from '../receive/index.ts';
import { GapNotFilled } from '../receive/gap.ts';
import type { RemoteRooms } from '../remote-rooms.ts';

interface Parts {
  readonly remoteRooms: RemoteRooms;
  readonly receiving: Pick<Receiving, 'receivePdus'>;
}

/**
 * They take their places in the room, with what lies between them and what is known. What the server does not give is left out.
 * `parts`: there by the time of the first call.
 */
export const fetchEventsBy =
  (parts: () => Parts) =>
  async (server: ServerName, roomId: RoomId, eventIds: readonly EventId[]): Promise<void> => {
    const { remoteRooms, receiving } = parts();
    try {
      const pdus: JsonObject[] = [];
      for (const eventId of eventIds) pdus.push(await remoteRooms.getEvent(server, eventId, { isUrgent: true }));
      await receiving.receivePdus(server, roomId, pdus);
    } catch (error) {
      if (!(error instanceof FederationError) && !(error instanceof GapNotFilled)) throw error;
    }
  };
