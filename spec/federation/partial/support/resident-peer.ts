/** Servers that a test plays, in a room that it makes up: they let users in without telling of the members, and tell of these later. */
import { eventId as eventIdOf } from '../../../../src/matrix/crypto/reference-hash.ts';
import type { EventId, ServerName, UserId } from '../../../../src/matrix/ids/ids.ts';
import type { JsonObject } from '../../../../src/matrix/json/json-value.ts';
import type { FederatedNetwork, PeerReply, PeerRequest, TestPeer } from '../../../support/federated-network.ts';
import { type FarEvent, type FarRoom, far, signerOf } from '../../receive/support/far-room.ts';

type Asked = PeerRequest & { readonly from: string };

const notFound: PeerReply = { status: 404, json: { errcode: 'M_NOT_FOUND', error: 'There is no such event' } };

export class ResidentPeer {
  readonly room: FarRoom;
  readonly peer: TestPeer;
  /** Events that were sent to it. */
  readonly received: JsonObject[] = [];
  /** What else was sent to it, by type. */
  readonly told = new Map<string, JsonObject[]>();
  /** Of state_ids, how often it was asked, and of all the rest of a state. */
  readonly asked: string[] = [];
  /** Given with a bad signature whenever they are given. */
  readonly forged = new Set<EventId>();
  /** Servers that it says are in the room. */
  servers: ServerName[] = [far];
  /** It answers nothing any more. */
  isGone = false;
  #gate = Promise.withResolvers<void>();
  #transactions = 0;

  constructor(network: FederatedNetwork, room: FarRoom, name: ServerName = far) {
    this.room = room;
    this.peer = network.addPeer(name, (request) => this.#answer(request), signerOf(name).key);
  }

  /** States are told from now on. */
  tellStates(): void {
    this.#gate.resolve();
  }

  /** Hands events to a server. */
  async send(to: string, events: readonly FarEvent[]): Promise<JsonObject> {
    const content = { origin: this.peer.name, origin_server_ts: 1_700_000_000_000, pdus: events.map(({ pdu }) => pdu) };
    const uri = `/_matrix/federation/v1/send/${this.peer.name}-${this.#transactions++}`;
    const { status, json } = await this.peer.send(to, { method: 'PUT', uri, content });
    if (status !== 200) throw new Error(`${to} answered with ${status}: ${JSON.stringify(json)}`);
    return json;
  }

  /** Hands something over that is no event. */
  async tell(to: string, type: string, content: JsonObject): Promise<void> {
    const edus = [{ edu_type: type, content }];
    const transaction = { origin: this.peer.name, origin_server_ts: 1_700_000_000_000, pdus: [], edus };
    const uri = `/_matrix/federation/v1/send/${this.peer.name}-${this.#transactions++}`;
    const { status, json } = await this.peer.send(to, { method: 'PUT', uri, content: transaction });
    if (status !== 200) throw new Error(`${to} answered with ${status}: ${JSON.stringify(json)}`);
  }

  async #answer({ uri, content }: Asked): Promise<PeerReply | undefined> {
    if (this.isGone) return { status: 502, json: { errcode: 'M_UNKNOWN', error: 'It is gone' } };
    const url = new URL(uri, 'https://peer');
    const [, , , , operation = '', first = '', second = ''] = url.pathname.split('/').map(decodeURIComponent);
    const at = this.room.events.get((url.searchParams.get('event_id') ?? '') as EventId);
    switch (operation) {
      case 'make_join':
        return this.#makeJoin(second as UserId);
      case 'send_join':
        return this.#sendJoin(content ?? {}, second as EventId);
      case 'state_ids':
        this.asked.push(operation);
        await this.#gate.promise;
        return at === undefined ? notFound : { json: this.#stateIds(at) };
      case 'state':
        this.asked.push(operation);
        return at === undefined ? notFound : { json: this.#state(at) };
      case 'event': {
        const event = this.room.events.get(first as EventId);
        return event === undefined ? notFound : { json: { pdus: [this.#told(first as EventId)] } };
      }
      case 'event_auth':
        return { json: { auth_chain: this.#pdus(this.room.authChainOf([second as EventId])) } };
      case 'send':
        for (const pdu of (content?.['pdus'] ?? []) as JsonObject[]) {
          this.received.push(pdu);
          this.room.take(pdu, eventIdOf(pdu, this.room.rules));
        }
        for (const { edu_type: type, content: told } of (content?.['edus'] ?? []) as JsonObject[])
          this.told.set(type as string, [...(this.told.get(type as string) ?? []), told as JsonObject]);
        return { json: { pdus: {} } };
      default:
        return undefined;
    }
  }

  #makeJoin(userId: UserId): PeerReply {
    const { room } = this;
    const draft = { type: 'm.room.member', stateKey: userId, sender: userId, content: { membership: 'join' } };
    const event = {
      type: 'm.room.member',
      room_id: room.roomId,
      sender: userId,
      state_key: userId,
      content: draft.content,
      depth: room.order.length + 1,
      prev_events: [room.tip],
      auth_events: room.authEventsFor(draft),
      origin_server_ts: 1_700_000_000_000,
    };
    return { json: { room_version: room.rules.version, event } };
  }

  #sendJoin(pdu: JsonObject, eventId: EventId): PeerReply {
    const { room } = this;
    const join = room.take(pdu, eventId);
    const state = [...join.before.entries()].filter(([key]) => !key.startsWith('m.room.member\0')).map(([, id]) => id);
    const told = new Set(state);
    const chain = new Set([...join.event.authEvents, ...room.authChainOf([eventId, ...state])]);
    return {
      json: {
        event: pdu,
        origin: this.peer.name,
        members_omitted: true,
        servers_in_room: this.servers,
        state: this.#pdus(state),
        auth_chain: this.#pdus([...chain].filter((id) => !told.has(id))),
      },
    };
  }

  #stateIds({ before }: FarEvent): JsonObject {
    const ids = [...before.values()];
    return { pdu_ids: ids, auth_chain_ids: this.room.authChainOf(ids) };
  }

  #state({ before }: FarEvent): JsonObject {
    const ids = [...before.values()];
    return { pdus: this.#pdus(ids), auth_chain: this.#pdus(this.room.authChainOf(ids)) };
  }

  #pdus(ids: readonly EventId[]): JsonObject[] {
    return ids.map((id) => this.#told(id));
  }

  #told(eventId: EventId): JsonObject {
    const { pdu, event } = this.room.events.get(eventId)!;
    if (!this.forged.has(eventId)) return pdu;
    const server = event.sender.slice(event.sender.indexOf(':') + 1);
    return { ...pdu, signatures: { [server]: { 'ed25519:k': 'A'.repeat(86) } } };
  }
}
