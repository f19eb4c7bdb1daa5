/** People of every server of a world who do what clients do, chosen by a seed. What came of it is written down. */
import type { JsonObject } from '../../src/matrix/json/json-value.ts';
import type { Random } from '../../src/platform/ports.ts';
import { seededRandom } from '../support/test-ports.ts';
import type { TestRequest, TestResponse } from '../support/test-server.ts';
import type { Parked, SimulatedServer, World } from './world.ts';

interface Person {
  readonly userId: string;
  readonly localpart: string;
  /** undefined: logged out. */
  token: string | undefined;
  /** Of the last answer of /sync. */
  since: string | undefined;
}
interface Room {
  readonly roomId: string;
  readonly isPublic: boolean;
  readonly memberships: Map<string, string>;
  /** Of messages. */
  readonly eventIds: string[];
}
/** The people and rooms of one server. */
interface Place {
  readonly server: SimulatedServer;
  readonly people: Person[];
  readonly rooms: Room[];
}
type Outcome = Pick<TestResponse, 'status' | 'text' | 'json'>;
/** undefined: there is nobody, or nothing, to do it with. */
type Action = (place: Place) => Promise<Outcome | undefined>;

const peopleMax = 6;
const password = 'correct horse battery staple';
const presets = ['private_chat', 'public_chat', 'trusted_private_chat'];
const versions = ['1', '2', '3', '4', '5', '6', '7', '8', '9', '10', '11', '12'];

export class RandomPeople {
  /** One line for each step: where, what, and the answer. */
  readonly history: string[] = [];
  /** How often each action was answered with 200. */
  readonly succeeded = new Map<string, number>();
  readonly #world: World;
  readonly #random: Random;
  readonly #places: readonly Place[];
  readonly #parked: { readonly name: string; readonly parked: Parked }[] = [];
  #count = 0;

  constructor(world: World, seed: number | string) {
    this.#world = world;
    this.#random = seededRandom(`${seed} people`);
    this.#places = world.servers.map((server) => ({ server, people: [], rooms: [] }));
  }

  /** One thing that somebody does somewhere. */
  async step(): Promise<void> {
    for (;;) {
      const place = this.#pick(this.#places);
      const [name, action] = this.#next(place);
      const outcome = await action(place);
      if (outcome === undefined) continue;
      this.#note(`${place.server.name} ${name}`, outcome);
      if (outcome.status === 200) this.succeeded.set(name, (this.succeeded.get(name) ?? 0) + 1);
      return;
    }
  }

  /** Lets those who wait for news wait to the end. */
  async finish(): Promise<void> {
    await this.#world.ports.advance(longPollMs);
    await this.#collect();
  }

  /** A server needs people and rooms before anything can happen there. */
  #next({ people, rooms }: Place): readonly [string, Action] {
    if (people.length < 3) return ['register', this.#actions['register']];
    if (rooms.length < 2) return ['create', this.#actions['create']];
    return this.#pick(this.#weighted);
  }

  readonly #actions = {
    register: (place) => this.#register(place),
    login: (place) => this.#logIn(place),
    logout: (place) => this.#logOut(place),
    create: (place) => this.#create(place),
    invite: (place) => this.#upon(place, 'invite', ['leave'], 'invite'),
    kick: (place) => this.#upon(place, 'kick', ['join', 'invite'], 'leave'),
    ban: (place) => this.#upon(place, 'ban', ['join', 'leave'], 'ban'),
    unban: (place) => this.#upon(place, 'unban', ['ban'], 'leave'),
    join: (place) => this.#move(place, 'join', (room, was) => was === 'invite' || (was === 'leave' && room.isPublic)),
    leave: (place) => this.#move(place, 'leave', (_room, was) => was === 'invite' || was === 'join'),
    send: (place) => this.#send(place, () => this.#text()),
    edit: (place) => this.#send(place, (eventId) => ({ ...this.#text(), ...edit(eventId, this.#text()) })),
    react: (place) => this.#send(place, (eventId) => relation('m.annotation', eventId, { key: '👍' }), 'm.reaction'),
    redact: (place) => this.#redact(place),
    state: (place) => this.#state(place),
    receipt: (place) => this.#receipt(place),
    typing: (place) => this.#type(place),
    profile: (place) => this.#profile(place),
    data: (place) => this.#accountData(place),
    sync: (place) => this.#sync(place),
    wait: (place) => this.#wait(place),
    messages: (place) => this.#messages(place),
    deactivate: (place) => this.#deactivate(place),
    time: () => this.#pass(),
    restart: ({ server }) => this.#restart(server),
  } satisfies Record<string, Action>;

  /** Each as often as it is to happen. */
  readonly #weighted = Object.entries(weights).flatMap(([name, weight]) =>
    Array.from({ length: weight }, () => [name, this.#actions[name as keyof typeof weights]] as const),
  );

  async #register({ server, people }: Place): Promise<Outcome | undefined> {
    if (people.length >= peopleMax) return undefined;
    const localpart = `p${people.length}`;
    const body = { auth: { type: 'm.login.dummy' }, username: localpart, password };
    const answer = await server.request('POST', `${client}/register`, { body });
    const userId = String(answer.json['user_id']);
    people.push({ userId, localpart, token: tokenOf(answer), since: undefined });
    return answer;
  }

  async #logIn({ server, people }: Place): Promise<Outcome | undefined> {
    const person = this.#pick(people);
    const body = { type: 'm.login.password', identifier: { type: 'm.id.user', user: person.localpart }, password };
    const answer = await server.request('POST', `${client}/login`, { body });
    person.token = tokenOf(answer);
    person.since = undefined;
    return answer;
  }

  async #logOut(place: Place): Promise<Outcome | undefined> {
    const person = this.#somebody(place);
    if (person === undefined) return undefined;
    const answer = await this.#as(place, person, 'POST', '/logout', {});
    person.token = undefined;
    return answer;
  }

  async #deactivate(place: Place): Promise<Outcome | undefined> {
    const person = this.#somebody(place);
    if (person === undefined || place.people.length < 4) return undefined;
    const auth = { type: 'm.login.password', identifier: { type: 'm.id.user', user: person.localpart }, password };
    const answer = await this.#as(place, person, 'POST', '/account/deactivate', {
      auth,
      erase: this.#random.int(2) === 0,
    });
    person.token = undefined;
    for (const { memberships } of place.rooms) memberships.delete(person.userId);
    return answer;
  }

  async #create(place: Place): Promise<Outcome | undefined> {
    const creator = this.#somebody(place);
    if (creator === undefined) return undefined;
    const guest = this.#pick(place.people).userId;
    const invite = guest === creator.userId ? [] : [guest];
    const preset = this.#pick(presets);
    const body = { preset, room_version: this.#pick(versions), name: this.#word(), invite };
    const answer = await this.#as(place, creator, 'POST', '/createRoom', body);
    const memberships = new Map([...invite.map((userId) => [userId, 'invite'] as const), [creator.userId, 'join']]);
    place.rooms.push({
      roomId: String(answer.json['room_id']),
      isPublic: preset === 'public_chat',
      memberships,
      eventIds: [],
    });
    return answer;
  }

  /** Somebody who is in a room does something to somebody else. */
  async #upon(place: Place, verb: string, from: readonly string[], to: string): Promise<Outcome | undefined> {
    const [room, actor] = this.#member(place);
    const others = place.people.filter(({ userId }) => from.includes(room?.memberships.get(userId) ?? 'leave'));
    if (room === undefined || actor === undefined || others.length === 0) return undefined;
    const { userId } = this.#pick(others);
    const answer = await this.#as(place, actor, 'POST', `${inRoom(room)}/${verb}`, { user_id: userId });
    if (answer.status === 200) room.memberships.set(userId, to);
    return answer;
  }

  async #move(
    place: Place,
    verb: 'join' | 'leave',
    suits: (room: Room, was: string) => boolean,
  ): Promise<Outcome | undefined> {
    const room = this.#pick(place.rooms);
    const person = this.#somebody(place, ({ userId }) => suits(room, room.memberships.get(userId) ?? 'leave'));
    if (person === undefined) return undefined;
    const answer = await this.#as(place, person, 'POST', `${inRoom(room)}/${verb}`, {});
    if (answer.status === 200) room.memberships.set(person.userId, verb);
    return answer;
  }

  async #send(
    place: Place,
    content: (eventId: string) => JsonObject,
    type = 'm.room.message',
  ): Promise<Outcome | undefined> {
    const [room, sender] = this.#member(place);
    if (room === undefined || sender === undefined) return undefined;
    const path = `${inRoom(room)}/send/${type}/${this.#word()}`;
    const answer = await this.#as(place, sender, 'PUT', path, content(this.#eventOf(room)));
    if (answer.status === 200) room.eventIds.push(String(answer.json['event_id']));
    return answer;
  }

  async #redact(place: Place): Promise<Outcome | undefined> {
    const [room, person] = this.#member(place);
    if (room === undefined || person === undefined) return undefined;
    const path = `${inRoom(room)}/redact/${encodeURIComponent(this.#eventOf(room))}/${this.#word()}`;
    return this.#as(place, person, 'PUT', path, { reason: this.#word() });
  }

  async #state(place: Place): Promise<Outcome | undefined> {
    const [room, person] = this.#member(place);
    if (room === undefined || person === undefined) return undefined;
    return this.#as(place, person, 'PUT', `${inRoom(room)}/state/m.room.topic/`, { topic: this.#word() });
  }

  async #receipt(place: Place): Promise<Outcome | undefined> {
    const [room, person] = this.#member(place);
    if (room === undefined || person === undefined) return undefined;
    const type = this.#pick(['m.read', 'm.read.private', 'm.fully_read']);
    return this.#as(
      place,
      person,
      'POST',
      `${inRoom(room)}/receipt/${type}/${encodeURIComponent(this.#eventOf(room))}`,
      {},
    );
  }

  async #type(place: Place): Promise<Outcome | undefined> {
    const [room, person] = this.#member(place);
    if (room === undefined || person === undefined) return undefined;
    const body = { typing: this.#random.int(3) > 0, timeout: 20_000 };
    return this.#as(place, person, 'PUT', `${inRoom(room)}/typing/${encodeURIComponent(person.userId)}`, body);
  }

  async #profile(place: Place): Promise<Outcome | undefined> {
    const person = this.#somebody(place);
    if (person === undefined) return undefined;
    const body = { displayname: this.#word() };
    return this.#as(place, person, 'PUT', `/profile/${encodeURIComponent(person.userId)}/displayname`, body);
  }

  async #accountData(place: Place): Promise<Outcome | undefined> {
    const person = this.#somebody(place);
    if (person === undefined) return undefined;
    const of = this.#random.int(2) === 0 ? '' : inRoom(this.#pick(place.rooms));
    const path = `/user/${encodeURIComponent(person.userId)}${of}/account_data/org.example.${this.#random.int(3)}`;
    return this.#as(place, person, 'PUT', path, { value: this.#word() });
  }

  async #sync(place: Place): Promise<Outcome | undefined> {
    const person = this.#somebody(place);
    if (person === undefined) return undefined;
    const answer = await this.#as(place, person, 'GET', syncPath(person, 0));
    person.since = String(answer.json['next_batch']);
    return answer;
  }

  /** Waits for news while others act. */
  async #wait(place: Place): Promise<Outcome | undefined> {
    const person = this.#somebody(place, ({ since }) => since !== undefined);
    if (person?.token === undefined) return undefined;
    const parked = await place.server.park(client + syncPath(person, longPollMs), { token: person.token });
    this.#parked.push({ name: `${person.userId} waited`, parked });
    return nothing;
  }

  async #messages(place: Place): Promise<Outcome | undefined> {
    const [room, person] = this.#member(place);
    if (room === undefined || person === undefined) return undefined;
    return this.#as(place, person, 'GET', `${inRoom(room)}/messages?dir=b&limit=20`);
  }

  async #pass(): Promise<Outcome> {
    const ms = this.#pick([1, 1_000, 25_000, 60_000, 600_000, 3_600_000]);
    await this.#world.ports.advance(ms);
    if (ms >= longPollMs) await this.#collect();
    return { ...nothing, text: `${ms} ms` };
  }

  /** Whoever waits for news of any server is answered first, so that nobody's answer is lost on the way. */
  async #restart(server: SimulatedServer): Promise<Outcome> {
    await this.finish();
    await server.restart();
    return nothing;
  }

  async #collect(): Promise<void> {
    for (const { name, parked } of this.#parked.splice(0)) this.#note(name, await parked.answer);
  }

  #as(place: Place, { token }: Person, method: string, path: string, body?: JsonObject): Promise<TestResponse> {
    const request: TestRequest = { ...(token === undefined ? {} : { token }), ...(body === undefined ? {} : { body }) };
    return place.server.request(method, client + path, request);
  }

  #note(name: string, { status, text }: Outcome): void {
    this.history.push(`${name}: ${status} ${text}`);
  }

  /** Somebody who is logged in. */
  #somebody({ people }: Place, suits: (person: Person) => boolean = () => true): Person | undefined {
    const suitable = people.filter((person) => person.token !== undefined && suits(person));
    return suitable.length === 0 ? undefined : this.#pick(suitable);
  }

  #member(place: Place): readonly [Room, Person] | readonly [] {
    const room = this.#pick(place.rooms);
    const person = this.#somebody(place, ({ userId }) => room.memberships.get(userId) === 'join');
    return person === undefined ? [] : [room, person];
  }

  /** Of a message in the room, if there is any. */
  #eventOf({ eventIds }: Room): string {
    return eventIds.length === 0 ? '$none' : this.#pick(eventIds);
  }

  #text(): JsonObject {
    return { msgtype: 'm.text', body: this.#word() };
  }

  /** Another one each time. */
  #word(): string {
    return `w${++this.#count}-${this.#random.int(1_000_000)}`;
  }

  #pick<T>(from: readonly T[]): T {
    const picked = from[this.#random.int(from.length)];
    if (picked === undefined) throw new Error('nothing to choose from');
    return picked;
  }
}

const client = '/_matrix/client/v3';
const longPollMs = 30_000;
const nothing: Outcome = { status: 200, text: '', json: {} };
const weights = {
  register: 2,
  login: 2,
  logout: 1,
  create: 5,
  invite: 6,
  kick: 2,
  ban: 2,
  unban: 2,
  join: 12,
  leave: 3,
  send: 14,
  edit: 4,
  react: 4,
  redact: 4,
  state: 4,
  receipt: 5,
  typing: 3,
  profile: 3,
  data: 4,
  sync: 8,
  wait: 4,
  messages: 3,
  deactivate: 1,
  time: 6,
  restart: 1,
};

const inRoom = ({ roomId }: Room): string => `/rooms/${encodeURIComponent(roomId)}`;

const syncPath = ({ since }: Person, timeoutMs: number): string =>
  `/sync?timeout=${timeoutMs}${since === undefined ? '' : `&since=${since}`}`;

function tokenOf({ json }: TestResponse): string | undefined {
  const { access_token: token } = json;
  return typeof token === 'string' ? token : undefined;
}

const relation = (type: string, eventId: string, more: JsonObject = {}): JsonObject => ({
  'm.relates_to': { rel_type: type, event_id: eventId, ...more },
});

const edit = (eventId: string, content: JsonObject): JsonObject => ({
  ...relation('m.replace', eventId),
  'm.new_content': content,
});
