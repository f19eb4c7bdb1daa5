/** POST /_matrix/client/v3/createRoom — https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3createroom */
import { MatrixError, invalidParam } from '../../../matrix/errors.ts';
import type { RoomVersionRules } from '../../../matrix/room-versions/rules.ts';
import type { Rooms } from '../../../rooms/index.ts';
import { arrayOf, boolean, json, jsonObject, object, oneOf, optional, string, withDefault } from '../../decode.ts';
import { defineEndpoint } from '../../endpoint.ts';
import { userId } from './identifiers.ts';

export const createRoom = defineEndpoint({
  operationId: 'createRoom',
  method: 'POST',
  path: '/_matrix/client/v3/createRoom',
  auth: 'accessToken',
  rateLimit: 'create',
  refusedWhileSuspended: true,
  params: {},
  query: {},
  body: object({
    visibility: withDefault(oneOf('public', 'private'), 'private'),
    preset: optional(oneOf('private_chat', 'public_chat', 'trusted_private_chat')),
    room_version: optional(string()),
    room_alias_name: optional(string({ maxBytes: 255 })),
    name: optional(string()),
    topic: optional(string()),
    invite: withDefault(arrayOf(userId(), { max: 1000 }), []),
    invite_3pid: withDefault(arrayOf(json()), []),
    is_direct: withDefault(boolean(), false),
    creation_content: withDefault(jsonObject(), {}),
    initial_state: withDefault(
      arrayOf(object({ type: string(), state_key: withDefault(string(), ''), content: jsonObject() }), { max: 1000 }),
      [],
    ),
    power_level_content_override: withDefault(jsonObject(), {}),
  }),
  async handle({ body, requester }, { rooms }: { rooms: Pick<Rooms, 'createRoom' | 'roomVersion' | 'localAlias'> }) {
    if (body.invite_3pid.length > 0)
      throw new MatrixError(400, 'M_THREEPID_DENIED', 'This server invites by Matrix user ID only');
    const rules: RoomVersionRules = rooms.roomVersion(body.room_version);
    const alias = body.room_alias_name === undefined ? undefined : rooms.localAlias(requester, body.room_alias_name);
    if (body.room_alias_name !== undefined && alias === undefined)
      throw invalidParam('room_alias_name cannot be the local part of an alias');
    const roomId = await rooms.createRoom(
      requester,
      {
        visibility: body.visibility,
        preset: body.preset,
        roomVersion: rules.version,
        name: body.name,
        topic: body.topic,
        alias,
        invite: body.invite,
        isDirect: body.is_direct,
        creationContent: body.creation_content,
        initialState: body.initial_state.map((event) => ({
          type: event.type,
          stateKey: event.state_key,
          content: event.content,
        })),
        powerLevelContentOverride: body.power_level_content_override,
        encryption: 'byDefault',
      },
      rules,
    );
    return { json: { room_id: roomId } };
  },
});
