/** Servers without HTTP and accounts that reach each other's memberships as if by federation. */
import type { FindServerKey } from '../../../../src/matrix/crypto/event-signatures.ts';
import { verifyKeyOf } from '../../../../src/matrix/crypto/ed25519.ts';
import { receivePdu } from '../../../../src/matrix/crypto/receive-pdu.ts';
import { MatrixError } from '../../../../src/matrix/errors.ts';
import type { EventId, RoomId, ServerName, UserId } from '../../../../src/matrix/ids/ids.ts';
import type { JsonObject, JsonValue } from '../../../../src/matrix/json/json-value.ts';
import { parseJson } from '../../../../src/matrix/json/parse-json.ts';
import type { Ports } from '../../../../src/platform/ports.ts';
import type { FederationClient, FederationRequest, PduVerifier } from '../../../../src/federation/contract.ts';
import { FederationError } from '../../../../src/federation/federation-error.ts';
import { type Memberships, createMemberships } from '../../../../src/federation/membership/index.ts';
import type { HandedMembership } from '../../../../src/federation/membership/make-membership.ts';
import type { RoomsContext } from '../../../../src/rooms/context.ts';
import type { Database } from '../../../../src/storage/database.ts';
import { TestRooms } from '../../../support/test-rooms.ts';

/** What a test does to an answer on its way; undefined: it goes as it is. */
export type Tamper = (request: FederationRequest, answer: JsonObject) => JsonObject | Promise<JsonObject>;

export class LinkedServers {
  readonly #servers = new Map<string, LinkedServer>();
  /** Servers that answer nobody. */
  readonly down = new Set<string>();
  readonly requests: FederationRequest[] = [];
  tamper: Tamper = (_request, answer) => answer;

  add(name: string, db: Database, ports: Ports): LinkedServer {
    const server = new LinkedServer(name as ServerName, db, ports, this);
    this.#servers.set(name, server);
    return server;
  }

  findKey: FindServerKey = (serverName, keyId) => {
    const own = this.#servers.get(serverName)?.rooms.ctx.localServers.signingKeyOf(serverName);
    return own !== undefined && own.keyId === keyId ? verifyKeyOf(own) : undefined;
  };

  async answer(origin: ServerName, request: FederationRequest): Promise<JsonObject> {
    const { destination } = request;
    this.requests.push(request);
    const server = this.#servers.get(destination);
    if (server === undefined || this.down.has(destination))
      throw new FederationError(destination, 'unreachable', 'it does not answer');
    try {
      const text = await server.handle({ origin, destination }, request);
      return await this.tamper(request, parseJson(text, { numbers: 'exact' }) as JsonObject);
    } catch (error) {
      if (!(error instanceof MatrixError)) throw error;
      const { status, errcode, message, extra } = error;
      const { room_version: roomVersion } = extra;
      const details = { status, errcode, roomVersion: typeof roomVersion === 'string' ? roomVersion : undefined };
      throw new FederationError(destination, 'answered', message, details);
    }
  }
}

export class LinkedServer {
  readonly name: ServerName;
  readonly rooms: TestRooms;
  readonly memberships: Memberships;

  constructor(name: ServerName, db: Database, ports: Ports, links: LinkedServers) {
    this.name = name;
    this.rooms = new TestRooms(db, ports, {
      serverNames: [name],
      remoteMemberships: {
        join: (request) => this.memberships.remote.join(request),
        knock: (request) => this.memberships.remote.knock(request),
        leave: (request) => this.memberships.remote.leave(request),
        signInvite: (invite) => this.memberships.remote.signInvite(invite),
      },
    });
    const client: FederationClient = {
      request: (request) => links.answer(name, request),
      requestBytes: async (request) => ({
        contentType: 'application/json',
        body: Buffer.from(JSON.stringify(await links.answer(name, request))),
      }),
    };
    const verifier: PduVerifier = {
      verify: async (pdus, rules) => pdus.map((pdu) => receivePdu(pdu, rules, links.findKey)),
    };
    this.memberships = createMemberships({
      rooms: this.rooms.ctx,
      client,
      keys: { find: async () => links.findKey },
      verifier,
      keyValidity: { isValid: () => Promise.resolve(false) },
      users: { isActive: async (userId) => !userId.startsWith('@nobody:') },
      timers: ports.timers,
    });
  }

  get ctx(): RoomsContext {
    return this.rooms.ctx;
  }

  async handle(
    requester: { readonly origin: ServerName; readonly destination: ServerName },
    request: FederationRequest,
  ): Promise<string> {
    const [, , , , operation = '', room = '', last = ''] = request.path.split('/').map(decodeURIComponent);
    const roomId = room as RoomId;
    const body = bodyOf(request);
    const membership = operation.slice(5) as HandedMembership;
    if (operation.startsWith('make_')) {
      const versions = request.query?.['ver'] as readonly string[] | undefined;
      const made = { roomId, userId: last as UserId, membership, versions };
      return JSON.stringify(await this.memberships.make(requester, made));
    }
    const handedIn = { roomId, eventId: last as EventId, pdu: body };
    if (operation === 'send_join') {
      const omitMembers = request.query?.['omit_members'] === true;
      return textOf(await this.memberships.sendJoin(requester, { ...handedIn, omitMembers }));
    }
    if (operation === 'send_leave') {
      await this.memberships.sendLeave(requester, handedIn);
      return '{}';
    }
    if (operation === 'send_knock')
      return JSON.stringify({ knock_room_state: await this.memberships.sendKnock(requester, handedIn) });
    const { room_version: roomVersion, event, invite_room_state: roomState } = body;
    const invite = { roomId, eventId: last as EventId, roomVersion: roomVersion as string };
    const signed = await this.memberships.receiveInvite(requester, {
      ...invite,
      pdu: event as JsonObject,
      roomState: roomState as readonly JsonValue[],
    });
    return `{"event":${signed}}`;
  }
}

function bodyOf({ content, canonicalContent }: FederationRequest): JsonObject {
  return parseJson(canonicalContent ?? JSON.stringify(content ?? {}), { numbers: 'exact' }) as JsonObject;
}

async function textOf(pieces: AsyncIterable<Buffer>): Promise<string> {
  const all: Buffer[] = [];
  for await (const piece of pieces) all.push(piece);
  return Buffer.concat(all).toString();
}
