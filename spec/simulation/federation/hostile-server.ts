/**
 * A server that takes part in rooms and lies: it forks their state, forges what events cite, withholds parents, floods rooms with
 * graphs that have no end, says one thing to one server and another to the next, and repeats what it and others said.
 */
import type { SigningKey } from '../../../src/matrix/crypto/ed25519.ts';
import { verifyKeyOf } from '../../../src/matrix/crypto/ed25519.ts';
import { signRequest } from '../../../src/matrix/crypto/x-matrix.ts';
import type { ServerName } from '../../../src/matrix/ids/ids.ts';
import { legacyCanonicalJson } from '../../../src/matrix/json/canonical-json.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../../../src/matrix/json/json-value.ts';
import { parseJson } from '../../../src/matrix/json/parse-json.ts';
import { signJson } from '../../../src/matrix/json/signed-json.ts';
import { findRoomVersion, roomVersions } from '../../../src/matrix/room-versions/table.ts';
import { finishEvent } from '../../../src/matrix/crypto/finish-event.ts';
import type { OutgoingHttp, Random } from '../../../src/platform/ports.ts';
import type { TestPorts } from '../../support/test-ports.ts';
import { testSigningKey } from '../../support/keys.ts';
import type { DirectRequest, DirectResponse } from './direct-listener.ts';
import { HostileRoom, type KnownEvent } from './hostile-room.ts';
import type { LossyNetwork } from './lossy-network.ts';

export interface HostileParts {
  readonly name: string;
  readonly network: LossyNetwork;
  readonly ports: TestPorts;
  readonly random: Random;
  /** Whom it attacks. */
  readonly others: readonly string[];
}
interface SentTransaction {
  readonly to: string;
  readonly txnId: string;
  readonly content: JsonObject;
}
type Trick = (room: HostileRoom) => void;

export class HostileServer {
  readonly name: string;
  readonly user: string;
  readonly rooms = new Map<string, HostileRoom>();
  readonly #parts: HostileParts;
  readonly #http: OutgoingHttp;
  readonly #key: SigningKey;
  readonly #expired: SigningKey;
  readonly #sent: SentTransaction[] = [];
  /** Events that it tells nobody of who asks. */
  readonly #withheld = new Set<string>();
  #count = 0;

  constructor(parts: HostileParts) {
    this.#parts = parts;
    this.name = parts.name;
    this.user = `@m:${parts.name}`;
    this.#http = parts.network.httpOf(parts.name, () => true);
    this.#key = testSigningKey(parts.name, 'ed25519:new');
    this.#expired = testSigningKey(parts.name, 'ed25519:old');
    parts.network.connect(parts.name, async (request) => this.#answer(request));
  }

  /** It comes in as every server does. False: it was not let in. */
  async join(roomId: string, via: string): Promise<boolean> {
    const versions = Object.keys(roomVersions).map((version) => `ver=${version}`);
    const path = `/${encodeURIComponent(roomId)}/${encodeURIComponent(this.user)}`;
    const made = await this.#ask(via, 'GET', `/_matrix/federation/v1/make_join${path}?${versions.join('&')}`);
    const rules = findRoomVersion(String(made?.['room_version']));
    const template = made?.['event'];
    if (rules === undefined || !isJsonObject(template)) return false;
    const pdu = {
      ...template,
      ...(rules.eventFormat.eventIdField ? { event_id: `$join${this.#count++}:${this.name}`, origin: this.name } : {}),
    };
    const { event } = finishEvent(pdu, rules, this.name, this.#key);
    const place = `${encodeURIComponent(roomId)}/${encodeURIComponent(event.eventId)}`;
    const joined = await this.#ask(via, 'PUT', `/_matrix/federation/v2/send_join/${place}`, event.pdu);
    if (joined === undefined) return false;
    const { name, user } = this;
    const own = { name, user, key: this.#key, nowMs: () => this.#parts.ports.clock.nowMs() };
    const room = new HostileRoom(own, { roomId, rules, tip: event.eventId });
    for (const known of [...listOf(joined['auth_chain']), ...listOf(joined['state'])]) room.learn(known, false);
    room.learn(event.pdu, true);
    this.rooms.set(roomId, room);
    return true;
  }

  /** One thing that no honest server does. */
  trick(): string | undefined {
    const room = this.#pick([...this.rooms.values()]);
    if (room === undefined) return undefined;
    const [name, trick] = this.#pick(Object.entries(this.#tricks)) ?? [];
    trick?.(room);
    return name;
  }

  readonly #tricks: Readonly<Record<string, Trick>> = {
    // What others may believe is said to all alike, or to one of them.
    say: (room) => this.#tellAll([this.#message(room)]),
    fork: (room) => {
      const prev = [room.tip];
      for (const to of this.#parts.others) this.#tell(to, [this.#message(room, { prev })]);
    },
    forkOfState: (room) => {
      const prev = [room.tip];
      for (const to of this.#parts.others) {
        const content = { membership: 'join', displayname: this.#word() };
        this.#tell(to, [room.make({ type: 'm.room.member', stateKey: this.user, content, prev })]);
      }
    },
    withheldParent: (room) => {
      const parent = this.#message(room);
      this.#withheld.add(parent.event.eventId);
      this.#tellSome([this.#message(room, { prev: [parent.event.eventId] })]);
    },
    withheldState: (room) => {
      const content = { membership: 'join', displayname: this.#word() };
      const parent = room.make({ type: 'm.room.member', stateKey: this.user, content });
      this.#withheld.add(parent.event.eventId);
      this.#tellSome([this.#message(room, { prev: [parent.event.eventId] })]);
    },
    powerGrab: (room) => {
      const content = { users: { [this.user]: 100 } };
      this.#tellAll([room.make({ type: 'm.room.power_levels', stateKey: '', content }, false)]);
    },
    forgedAuth: (room) => {
      const levels = room.make(
        { type: 'm.room.power_levels', stateKey: '', content: { users: { [this.user]: 100 } } },
        false,
      );
      const auth = [...this.#citable(room), levels.event.eventId];
      const topic = { type: 'm.room.topic', stateKey: '', content: { topic: this.#word() }, auth };
      this.#tellSome([levels, room.make(topic, false)]);
    },
    citesNothing: (room) => this.#tellSome([this.#message(room, { auth: [] }, false)]),
    citesUnknown: (room) =>
      this.#tellSome([this.#message(room, { auth: [...this.#citable(room), this.#unknownId(room)] }, false)]),
    kickAll: (room) => {
      for (const [key, eventId] of room.state) {
        const event = room.events.get(eventId)?.event;
        if (!key.startsWith('m.room.member\0') || event?.stateKey === this.user) continue;
        const draft = { type: 'm.room.member', stateKey: event?.stateKey ?? '', content: { membership: 'leave' } };
        this.#tellSome([room.make(draft, false)]);
      }
    },
    speaksForOthers: (room) => {
      const victims = [...room.events.values()].map(({ event }) => event.sender).filter((one) => one !== this.user);
      this.#tellSome([this.#message(room, { sender: this.#pick(victims) ?? this.user }, false)]);
    },
    expiredKey: (room) => this.#tellSome([this.#message(room, { key: this.#expired }, false)]),
    unknownParents: (room) => {
      const prev = Array.from({ length: 20 }, () => this.#unknownId(room));
      this.#tellSome([this.#message(room, { prev, depth: 2 ** 50 }, false)]);
    },
    flood: (room) => {
      const events = Array.from({ length: 50 }, () => this.#message(room, { prev: [this.#unknownId(room)] }, false));
      this.#tellSome(events);
    },
    longChain: (room) => {
      const chain = Array.from({ length: 120 }, () => this.#message(room));
      this.#tellAll(chain.slice(-1));
    },
    circle: (room) => {
      if (!room.rules.eventFormat.eventIdField) return;
      const [one, other] = [`$c${this.#count++}:${this.name}`, `$c${this.#count++}:${this.name}`];
      const events = [
        this.#message(room, { eventId: one, prev: [other] }, false),
        this.#message(room, { eventId: other, prev: [one] }, false),
      ];
      this.#tellSome(events);
    },
    manyTips: (room) => {
      const prev = [room.tip];
      this.#tellAll(Array.from({ length: 30 }, () => this.#message(room, { prev }, false)));
    },
    oldFork: (room) => {
      const old = this.#pick([...room.events.values()].filter(({ event }) => event.depth > 4));
      if (old !== undefined) this.#tellSome([this.#message(room, { prev: [old.event.eventId] }, false)]);
    },
    repeat: () => {
      const sent = this.#pick(this.#sent);
      if (sent === undefined) return;
      const txnId = this.#parts.random.int(2) === 0 ? sent.txnId : this.#word();
      this.#sendTransaction({ ...sent, txnId });
    },
    passOn: (room) => {
      const known = this.#pick([...room.events.values()]);
      if (known !== undefined) this.#tellSome([known]);
    },
    tooMany: (room) => {
      const pdus = Array.from({ length: 51 }, () => this.#message(room, {}, false).pdu);
      this.#sendTransaction({ to: this.#other(), txnId: this.#word(), content: this.#transaction(pdus) });
    },
    nonsense: () => {
      const pdus: JsonValue[] = [[], 'x', null, {}, { room_id: this.#word() }, { room_id: '!x:y', depth: -1 }];
      this.#sendTransaction({ to: this.#other(), txnId: this.#word(), content: this.#transaction(pdus) });
    },
    falseEdus: (room) => {
      const typing = { room_id: room.roomId, user_id: `@p0:${this.#other()}`, typing: true };
      const receipt = {
        [room.roomId]: { 'm.read': { [`@p0:${this.#other()}`]: { data: { ts: 1 }, event_ids: ['$x'] } } },
      };
      const edus = [
        { edu_type: 'm.typing', content: typing },
        { edu_type: 'm.receipt', content: receipt },
        { edu_type: 'm.direct_to_device', content: { messages: [] } },
        {
          edu_type: 'm.device_list_update',
          content: { user_id: this.user, device_id: 'D', stream_id: 2 ** 40, prev_id: [7] },
        },
        { edu_type: this.#word(), content: { a: 1 } },
      ];
      const content = { ...this.#transaction([]), edus };
      this.#sendTransaction({ to: this.#other(), txnId: this.#word(), content });
    },
    comeAgain: (room) => void this.join(room.roomId, this.#other()).catch(() => undefined),
  };

  // What it answers

  async #answer({ uri, body }: DirectRequest): Promise<DirectResponse> {
    const [path = '', query = ''] = uri.split('?');
    if (path === '/_matrix/key/v2/server') return reply(200, this.#keys());
    const [, , , , operation = '', first = '', second = ''] = path.split('/').map(decodeURIComponent);
    const content = body === undefined ? {} : (parseJson(String(body), { numbers: 'exact' }) as JsonObject);
    const mood = this.#parts.random.int(20);
    if (mood === 0) return reply(500, { errcode: 'M_UNKNOWN', error: 'no' });
    if (mood === 1) return { status: 200, headers: {}, body: Buffer.from('{"pdus":{"a":') };
    if (operation === 'send') return reply(200, this.#receive(content));
    const parameters = new URLSearchParams(query);
    const room = operation === 'event' ? this.#roomOf(first) : this.rooms.get(first);
    if (room === undefined) return reply(404, { errcode: 'M_NOT_FOUND', error: 'no' });
    const eventId = operation === 'event' ? first : (parameters.get('event_id') ?? second);
    const answer = this.#answerAbout(room, operation, eventId, { content, parameters });
    return answer === undefined ? reply(404, { errcode: 'M_NOT_FOUND', error: 'no' }) : reply(200, answer);
  }

  #answerAbout(
    room: HostileRoom,
    operation: string,
    eventId: string,
    { content, parameters }: { readonly content: JsonObject; readonly parameters: URLSearchParams },
  ): JsonObject | undefined {
    const isLie = this.#parts.random.int(2) === 0;
    const head = { origin: this.name, origin_server_ts: 0 };
    if (operation === 'event') {
      if (this.#withheld.has(eventId)) return undefined;
      const pdus = isLie ? room.pdus([room.tip]) : room.pdus([eventId]);
      return pdus.length === 0 ? undefined : { ...head, pdus };
    }
    if (operation === 'state_ids') {
      const state = isLie ? this.#falseState(room) : [...room.state.values()];
      return { pdu_ids: state, auth_chain_ids: room.authChain(state) };
    }
    if (operation === 'state') {
      const state = isLie ? this.#falseState(room) : [...room.state.values()];
      return { pdus: room.pdus(state), auth_chain: room.pdus(room.authChain(state)) };
    }
    if (operation === 'event_auth') return { auth_chain: isLie ? [] : room.pdus(room.authChain([eventId])) };
    if (operation === 'get_missing_events')
      return { events: isLie ? this.#endless(room) : this.#before(room, listOfText(content['latest_events'])) };
    if (operation === 'backfill')
      return { ...head, pdus: isLie ? this.#endless(room) : this.#before(room, parameters.getAll('v')) };
    return undefined;
  }

  /** Less than there is, its own wishes, and what nobody has. */
  #falseState(room: HostileRoom): string[] {
    const left = [...room.state.values()].filter(() => this.#parts.random.int(3) > 0);
    const content = { membership: 'join', displayname: this.#word() };
    const own = room.make({ type: 'm.room.member', stateKey: this.user, content }, false);
    const levels = { users: { [this.user]: 100 } };
    const grab = room.make({ type: 'm.room.power_levels', stateKey: '', content: levels }, false);
    const unknown = this.#parts.random.int(3) === 0 ? [this.#unknownId(room)] : [];
    return [...left, own.event.eventId, grab.event.eventId, ...unknown];
  }

  /** Ancestors that have further ones, made up for each question. */
  #endless(room: HostileRoom): JsonObject[] {
    return Array.from({ length: 15 }, () => this.#message(room, { prev: [this.#unknownId(room)] }, false).pdu);
  }

  #before(room: HostileRoom, ids: readonly string[]): JsonObject[] {
    const parents = ids.flatMap((id) => room.events.get(id)?.event.prevEvents ?? []);
    return room.pdus(parents.filter((id) => !this.#withheld.has(id)));
  }

  #receive(content: JsonObject): JsonObject {
    for (const pdu of listOf(content['pdus'])) {
      const room = this.rooms.get(String(pdu['room_id']));
      if (room !== undefined && this.#parts.random.int(10) > 0) room.learn(pdu, true);
    }
    return { pdus: {} };
  }

  /** The old key ended long before anything happened. */
  #keys(): JsonObject {
    const nowMs = this.#parts.ports.clock.nowMs();
    const isLapsed = this.#parts.random.int(4) === 0;
    const keys = {
      server_name: this.name,
      verify_keys: { [this.#key.keyId]: { key: verifyKeyOf(this.#key).publicKey } },
      old_verify_keys: {
        [this.#expired.keyId]: { key: verifyKeyOf(this.#expired).publicKey, expired_ts: nowMs - 30 * 86_400_000 },
      },
      valid_until_ts: isLapsed ? nowMs - 1 : nowMs + 86_400_000,
    };
    return signJson(keys, this.name as ServerName, this.#key);
  }

  // What it makes

  #message(room: HostileRoom, more: Partial<Parameters<HostileRoom['make']>[0]> = {}, isKept = true): KnownEvent {
    return room.make({ type: 'm.room.message', content: { msgtype: 'm.text', body: this.#word() }, ...more }, isKept);
  }

  #citable(room: HostileRoom): string[] {
    return ['m.room.create\0', 'm.room.power_levels\0', `m.room.member\0${this.user}`].flatMap(
      (key) => room.state.get(key) ?? [],
    );
  }

  #unknownId(room: HostileRoom): string {
    const text = Buffer.from(this.#parts.random.bytes(32));
    if (room.rules.eventFormat.eventIdField) return `$${text.toString('hex')}:${this.name}`;
    return `$${text.toString(room.rules.eventIdFormat === 'reference-hash' ? 'base64' : 'base64url').replace(/=+$/, '')}`;
  }

  // What it sends

  #tellAll(events: readonly KnownEvent[]): void {
    for (const to of this.#parts.others) this.#tell(to, events);
  }
  #tellSome(events: readonly KnownEvent[]): void {
    const some = this.#parts.others.filter(() => this.#parts.random.int(2) === 0);
    for (const to of some.length === 0 ? [this.#other()] : some) this.#tell(to, events);
  }
  #tell(to: string, events: readonly KnownEvent[]): void {
    this.#sendTransaction({ to, txnId: this.#word(), content: this.#transaction(events.map(({ pdu }) => pdu)) });
  }

  #transaction(pdus: readonly JsonValue[]): JsonObject {
    return { origin: this.name, origin_server_ts: this.#parts.ports.clock.nowMs(), pdus };
  }

  #sendTransaction({ to, txnId, content }: SentTransaction): void {
    this.#sent.push({ to, txnId, content });
    void this.#ask(to, 'PUT', `/_matrix/federation/v1/send/${txnId}`, content);
  }

  /** undefined: it was refused, or lost. */
  async #ask(to: string, method: 'GET' | 'PUT', uri: string, content?: JsonObject): Promise<JsonObject | undefined> {
    const destination = to as ServerName;
    const signed = signRequest({ method, uri, origin: this.name as ServerName, destination, content }, this.#key);
    try {
      const { status, body } = await this.#http.request({
        method,
        url: `https://${to}${uri}`,
        headers: { Authorization: signed, Host: to, 'Content-Type': 'application/json' },
        ...(content === undefined ? {} : { body: legacyCanonicalJson(content) }),
        timeoutMs: 60_000,
        responseBytesMax: 64 * 1024 * 1024,
      });
      const value = parseJson(body, { numbers: 'exact' });
      return status === 200 && isJsonObject(value) ? value : undefined;
    } catch {
      return undefined;
    }
  }

  #roomOf(eventId: string): HostileRoom | undefined {
    return [...this.rooms.values()].find((room) => room.events.has(eventId));
  }
  #other(): string {
    return this.#pick(this.#parts.others) ?? '';
  }
  #word(): string {
    return `m${this.#count++}`;
  }
  #pick<T>(from: readonly T[]): T | undefined {
    return from.length === 0 ? undefined : from[this.#parts.random.int(from.length)];
  }
}

const reply = (status: number, json: JsonObject): DirectResponse => ({
  status,
  headers: { 'content-type': 'application/json' },
  body: Buffer.from(legacyCanonicalJson(json)),
});
const listOf = (value: JsonValue | undefined): JsonObject[] => (Array.isArray(value) ? value.filter(isJsonObject) : []);
const listOfText = (value: JsonValue | undefined): string[] =>
  Array.isArray(value) ? value.filter((one) => typeof one === 'string') : [];
