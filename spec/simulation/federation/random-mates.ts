/** People of several servers who do what people do in rooms that they share, chosen by a seed. */
import type { JsonObject } from '../../../src/matrix/json/json-value.ts';
import { findRoomVersion } from '../../../src/matrix/room-versions/table.ts';
import type { Random } from '../../../src/platform/ports.ts';
import type { TestPorts } from '../../support/test-ports.ts';
import { type Answer, elapse, type FederatedWorld, type Homeserver, type Person } from './federated-world.ts';

export interface Mate extends Person {
  readonly server: Homeserver;
}
export interface SharedRoom {
  readonly roomId: string;
  readonly version: string;
  readonly creator: Mate;
  /** As far as those who did something know. */
  readonly memberships: Map<string, string>;
  /** That were acknowledged, with the server that did. */
  readonly sent: { readonly eventId: string; readonly server: string }[];
}
export interface DeviceMessage {
  readonly id: string;
  readonly from: Mate;
  readonly to: Mate;
}

type Action = () => Promise<void> | undefined;

export class RandomMates {
  readonly rooms: SharedRoom[] = [];
  readonly deviceMessages: DeviceMessage[] = [];
  readonly mates: readonly Mate[];
  /** What went wrong with the simulation itself. */
  readonly faults: Error[] = [];
  /** Requests of which the answer is not there yet. */
  readonly #waiting = new Set<Promise<void>>();
  readonly #random: Random;
  readonly #log: (line: string) => void;
  readonly #ports: TestPorts;
  readonly #unsureJoins = new Set<readonly [SharedRoom, Mate]>();
  #count = 0;

  constructor(world: FederatedWorld, random: Random, log: (line: string) => void) {
    this.#random = random;
    this.#ports = world.ports;
    this.#log = log;
    this.mates = world.servers.flatMap((server) => server.people.map((person) => ({ ...person, server })));
  }

  get waitingCount(): number {
    return this.#waiting.size;
  }

  /** Everybody is asked to come in one after another. */
  async createRoom(version: string): Promise<void> {
    const creator = this.#pick(this.mates);
    const others = this.mates.filter((mate) => mate !== creator);
    const users = Object.fromEntries(
      others.filter(() => this.#random.int(3) === 0).map(({ userId }) => [userId, this.#pick([50, 50, 100])]),
    );
    const { json } = await creator.server.request(
      {
        method: 'POST',
        path: `${client}/createRoom`,
        body: {
          preset: 'public_chat',
          room_version: version,
          power_level_content_override: {
            users: { ...(creatorHasNoLevel(version) ? {} : { [creator.userId]: 100 }), ...users },
          },
        },
      },
      creator,
    );
    const roomId = String(json['room_id']);
    const room: SharedRoom = { roomId, version, creator, memberships: new Map([[creator.userId, 'join']]), sent: [] };
    this.#log(`room ${roomId} of version ${version} by ${creator.userId}`);
    this.rooms.push(room);
    for (const mate of others) if (this.#random.int(4) > 0) await elapse(this.#ports, this.#join(room, mate));
  }

  /** One thing that somebody does somewhere; it may take a while. */
  step(): void {
    for (let attempt = 0; attempt < 50; attempt++) {
      const [name, action] = this.#pick(this.#weighted);
      const doing = action();
      if (doing === undefined) continue;
      const waiting = doing
        .catch((error: unknown) => void this.faults.push(new Error(`${name} failed`, { cause: error })))
        .finally(() => this.#waiting.delete(waiting));
      this.#waiting.add(waiting);
      return;
    }
  }

  /** Those whose way into a room came to nothing that they know of try again, as people do. */
  async joinAgain(): Promise<void> {
    const unsure = [...this.#unsureJoins];
    this.#unsureJoins.clear();
    for (const [room, mate] of unsure) await elapse(this.#ports, this.#join(room, mate));
  }

  /** Whoever can puts the user out of every room. */
  async banEverywhere(userId: string): Promise<void> {
    for (const room of this.rooms)
      for (const mate of this.mates) {
        const body = { user_id: userId };
        const answer = await mate.server.request({ method: 'POST', path: `${inRoom(room)}/ban`, body }, mate);
        this.#note(mate, 'ban', answer);
        if (answer.status === 200) break;
      }
  }

  /** Somebody of the server who is in the room, as far as the server knows. */
  async findMember(room: SharedRoom, server: Homeserver): Promise<Mate | undefined> {
    for (const mate of this.mates) {
      if (mate.server !== server) continue;
      const path = `${inRoom(room)}/state/m.room.member/${encodeURIComponent(mate.userId)}`;
      const { status, json } = await server.request({ method: 'GET', path }, mate);
      if (status === 200 && json['membership'] === 'join') return mate;
    }
    return undefined;
  }

  async say(room: SharedRoom, mate: Mate, text: string): Promise<Answer> {
    const path = `${inRoom(room)}/send/m.room.message/${this.#word()}`;
    const body = { msgtype: 'm.text', body: text };
    const answer = await mate.server.request({ method: 'PUT', path, body }, mate);
    this.#acknowledged(room, mate, answer);
    return answer;
  }

  readonly #actions: Readonly<Record<string, readonly [number, Action]>> = {
    send: [24, () => this.#send('m.room.message', { msgtype: 'm.text', body: this.#word() })],
    react: [3, () => this.#react()],
    topic: [5, () => this.#state('m.room.topic', '', { topic: this.#word() })],
    custom: [5, () => this.#state('org.example.state', `k${this.#random.int(3)}`, { value: this.#word() })],
    name: [2, () => this.#state('m.room.name', '', { name: this.#word() })],
    redact: [4, () => this.#redact()],
    levels: [5, () => this.#changeLevels()],
    rules: [3, () => this.#state('m.room.join_rules', '', { join_rule: this.#pick(joinRules) })],
    visibility: [1, () => this.#state('m.room.history_visibility', '', { history_visibility: this.#pick(visible) })],
    join: [14, () => this.#comeIn()],
    leave: [4, () => this.#leave()],
    invite: [7, () => this.#upon('invite', ['leave'], 'invite')],
    kick: [4, () => this.#upon('kick', ['join', 'invite'], 'leave')],
    ban: [3, () => this.#upon('ban', ['join', 'leave'], 'ban')],
    unban: [3, () => this.#upon('unban', ['ban'], 'leave')],
    knock: [2, () => this.#knock()],
    displayName: [2, () => this.#rename()],
    device: [6, () => this.#sendToDevice()],
    receipt: [3, () => this.#receipt()],
    typing: [2, () => this.#type()],
    history: [3, () => this.#readHistory()],
  };
  readonly #weighted = Object.entries(this.#actions).flatMap(([name, [weight, action]]) =>
    Array.from({ length: weight }, () => [name, action] as const),
  );

  #send(type: string, content: JsonObject): Promise<void> | undefined {
    const [room, mate] = this.#member();
    if (room === undefined || mate === undefined) return undefined;
    return this.#do(room, mate, 'PUT', `/send/${type}/${this.#word()}`, content);
  }

  #react(): Promise<void> | undefined {
    const eventId = this.#pick(this.rooms).sent.at(-1)?.eventId;
    if (eventId === undefined) return undefined;
    const relation = { rel_type: 'm.annotation', event_id: eventId, key: this.#word() };
    return this.#send('m.reaction', { 'm.relates_to': relation });
  }

  #state(type: string, key: string, content: JsonObject): Promise<void> | undefined {
    const [room, mate] = this.#member();
    if (room === undefined || mate === undefined) return undefined;
    return this.#do(room, mate, 'PUT', `/state/${type}/${encodeURIComponent(key)}`, content);
  }

  #redact(): Promise<void> | undefined {
    const [room, mate] = this.#member();
    if (room === undefined || mate === undefined || room.sent.length === 0) return undefined;
    // Perhaps it has not come to the server of who redacts it.
    const id = encodeURIComponent(this.#pick(room.sent).eventId);
    return this.#do(room, mate, 'PUT', `/redact/${id}/${this.#word()}`, {});
  }

  #changeLevels(): Promise<void> | undefined {
    const [room, mate] = this.#member();
    if (room === undefined || mate === undefined) return undefined;
    return this.#changeLevelsAs(room, mate);
  }

  async #changeLevelsAs(room: SharedRoom, mate: Mate): Promise<void> {
    const path = `${inRoom(room)}/state/m.room.power_levels/`;
    const { status, json } = await mate.server.ask({ method: 'GET', path }, mate);
    if (status !== 200) return;
    const users = json['users'] as JsonObject;
    const other = this.#pick(this.mates);
    const changed = { ...json, users: { ...users, [other.userId]: this.#pick([0, 25, 50, 50, 100]) } };
    await this.#do(room, mate, 'PUT', '/state/m.room.power_levels/', changed);
  }

  #comeIn(): Promise<void> | undefined {
    const room = this.#pick(this.rooms);
    const outside = this.mates.filter(
      ({ userId }) => !['join', 'ban'].includes(room.memberships.get(userId) ?? 'leave'),
    );
    return outside.length === 0 ? undefined : this.#join(room, this.#pick(outside));
  }

  async #join(room: SharedRoom, mate: Mate): Promise<void> {
    const via = this.mates.filter(({ userId }) => room.memberships.get(userId) === 'join');
    const servers = [...new Set(via.map(({ server }) => server.name))].map((name) => `via=${name}`).join('&');
    const path = `${client}/join/${encodeURIComponent(room.roomId)}?${servers}`;
    const answer = await mate.server.ask({ method: 'POST', path, body: {} }, mate);
    this.#note(mate, 'join', answer);
    if (answer.status === 200) room.memberships.set(mate.userId, 'join');
    else this.#unsureJoins.add([room, mate]);
  }

  async #knockAt(room: SharedRoom, mate: Mate): Promise<void> {
    const via = this.mates.find(({ userId }) => room.memberships.get(userId) === 'join')?.server.name ?? 'none.test';
    const path = `${client}/knock/${encodeURIComponent(room.roomId)}?via=${via}`;
    this.#note(mate, 'knock', await mate.server.ask({ method: 'POST', path, body: {} }, mate));
  }

  #knock(): Promise<void> | undefined {
    const room = this.#pick(this.rooms);
    const outside = this.mates.filter(({ userId }) => (room.memberships.get(userId) ?? 'leave') === 'leave');
    return outside.length === 0 ? undefined : this.#knockAt(room, this.#pick(outside));
  }

  #leave(): Promise<void> | undefined {
    const [room, mate] = this.#member(['join', 'join', 'invite']);
    if (room === undefined || mate === undefined) return undefined;
    return this.#do(room, mate, 'POST', '/leave', {}, { userId: mate.userId, to: 'leave' });
  }

  #upon(verb: string, from: readonly string[], to: string): Promise<void> | undefined {
    const [room, mate] = this.#member();
    const others = this.mates.filter(({ userId }) => from.includes(room?.memberships.get(userId) ?? 'leave'));
    if (room === undefined || mate === undefined || others.length === 0) return undefined;
    const { userId } = this.#pick(others);
    return this.#do(room, mate, 'POST', `/${verb}`, { user_id: userId }, { userId, to });
  }

  #rename(): Promise<void> | undefined {
    const mate = this.#pick(this.mates);
    const path = `${client}/profile/${encodeURIComponent(mate.userId)}/displayname`;
    const body = { displayname: this.#word() };
    return this.#answered(mate, 'rename', mate.server.ask({ method: 'PUT', path, body }, mate));
  }

  async #sendToDevice(): Promise<void> {
    const [from, to] = [this.#pick(this.mates), this.#pick(this.mates)];
    const id = this.#word();
    const path = `${client}/sendToDevice/org.example.message/${id}`;
    const body = { messages: { [to.userId]: { '*': { id } } } };
    const answer = await from.server.ask({ method: 'PUT', path, body }, from);
    this.#note(from, `device message to ${to.userId}`, answer);
    if (answer.status === 200) this.deviceMessages.push({ id, from, to });
  }

  #receipt(): Promise<void> | undefined {
    const [room, mate] = this.#member();
    if (room === undefined || mate === undefined || room.sent.length === 0) return undefined;
    const { eventId } = this.#pick(room.sent);
    return this.#do(room, mate, 'POST', `/receipt/m.read/${encodeURIComponent(eventId)}`, {});
  }

  #type(): Promise<void> | undefined {
    const [room, mate] = this.#member();
    if (room === undefined || mate === undefined) return undefined;
    const body = { typing: this.#random.int(2) === 0, timeout: 20_000 };
    return this.#do(room, mate, 'PUT', `/typing/${encodeURIComponent(mate.userId)}`, body);
  }

  #readHistory(): Promise<void> | undefined {
    const [room, mate] = this.#member();
    if (room === undefined || mate === undefined) return undefined;
    const path = `${inRoom(room)}/messages?dir=b&limit=50`;
    return this.#answered(mate, 'history', mate.server.ask({ method: 'GET', path }, mate), false);
  }

  async #do(
    room: SharedRoom,
    mate: Mate,
    method: 'PUT' | 'POST',
    path: string,
    body: JsonObject,
    change?: { readonly userId: string; readonly to: string },
  ): Promise<void> {
    const answer = await mate.server.ask({ method, path: inRoom(room) + path, body }, mate);
    this.#note(mate, path, answer);
    this.#acknowledged(room, mate, answer);
    if (answer.status === 200 && change !== undefined) room.memberships.set(change.userId, change.to);
  }

  #acknowledged(room: SharedRoom, { server }: Mate, { status, json }: Answer): void {
    const { event_id: eventId } = json;
    if (status === 200 && typeof eventId === 'string') room.sent.push({ eventId, server: server.name });
  }

  async #answered(mate: Mate, what: string, asked: Promise<Answer>, isShown = true): Promise<void> {
    const { status, json } = await asked;
    this.#note(mate, what, { status, json: isShown ? json : {} });
  }

  #note({ userId }: Mate, what: string, { status, json }: Pick<Answer, 'status' | 'json'>): void {
    this.#log(`${userId} ${what}: ${status} ${JSON.stringify(json)}`);
  }

  #member(memberships: readonly string[] = ['join']): readonly [SharedRoom, Mate] | readonly [] {
    const room = this.#pick(this.rooms);
    const wanted = this.#pick(memberships);
    const members = this.mates.filter(
      ({ userId, server }) => server.isRunning && room.memberships.get(userId) === wanted,
    );
    return members.length === 0 ? [] : [room, this.#pick(members)];
  }

  /** Another one each time. */
  #word(): string {
    return `w${++this.#count}`;
  }

  #pick<T>(from: readonly T[]): T {
    const picked = from[this.#random.int(from.length)];
    if (picked === undefined) throw new Error('nothing to choose from');
    return picked;
  }
}

const client = '/_matrix/client/v3';
const joinRules = ['public', 'public', 'public', 'invite', 'knock'];
const visible = ['shared', 'shared', 'joined', 'world_readable'];
const inRoom = ({ roomId }: SharedRoom): string => `${client}/rooms/${encodeURIComponent(roomId)}`;
const creatorHasNoLevel = (version: string): boolean => findRoomVersion(version)?.eventAuth.privilegedCreators === true;
