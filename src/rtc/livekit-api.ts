/** What this server asks LiveKit. https://docs.livekit.io/reference/server/server-apis/ */
import type { JsonObject } from '../matrix/json/json-value.ts';
import { limits } from '../platform/limits.ts';
import type { Clock, OutgoingHttp, OutgoingResponse } from '../platform/ports.ts';
import type { LivekitSettings } from './livekit-settings.ts';
import { serviceToken } from './livekit-tokens.ts';

/** LiveKit could not be asked, or gave no answer that can be understood. */
export class LivekitFailed extends Error {
  override readonly name = 'LivekitFailed';
}

export class LivekitApi {
  readonly #settings: LivekitSettings;
  readonly #http: OutgoingHttp;
  readonly #clock: Pick<Clock, 'nowMs'>;

  constructor(settings: LivekitSettings, http: OutgoingHttp, clock: Pick<Clock, 'nowMs'>) {
    this.#settings = settings;
    this.#http = http;
    this.#clock = clock;
  }

  /** A room that is there stays. Throws LivekitFailed. */
  async createRoom(room: string): Promise<void> {
    const { emptyRoomMs, leftRoomMs } = timeouts;
    const body = { name: room, empty_timeout: emptyRoomMs / 1000, departure_timeout: leftRoomMs / 1000 };
    const { status } = await this.#call('CreateRoom', body, { roomCreate: true });
    if (status !== 200) throw new LivekitFailed(`LiveKit answers CreateRoom with ${status}`);
  }

  /** Throws LivekitFailed when it is not known. */
  async hasParticipant(room: string, identity: string): Promise<boolean> {
    const { status, body } = await this.#call('GetParticipant', { room, identity }, { roomAdmin: true, room });
    if (status === 200) return true;
    if (status === 404 && body.toString('utf8').includes('"not_found"')) return false;
    throw new LivekitFailed(`LiveKit answers GetParticipant with ${status}`);
  }

  async #call(method: string, body: JsonObject, grants: JsonObject): Promise<OutgoingResponse> {
    const token = await serviceToken(this.#settings, grants, this.#clock.nowMs());
    return this.#http
      .request({
        method: 'POST',
        url: `${this.#settings.apiUrl}/twirp/livekit.RoomService/${method}`,
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
        body: JSON.stringify(body),
        timeoutMs: limits.livekitTimeoutMs,
        responseBytesMax: limits.outgoingResponseBytesMax,
      })
      .catch((error: unknown) => {
        throw new LivekitFailed('LiveKit cannot be reached', { cause: error });
      });
  }
}

/** How long LiveKit keeps a room that nobody has entered yet, and one that all have left. */
const timeouts = { emptyRoomMs: 300_000, leftRoomMs: 20_000 };
