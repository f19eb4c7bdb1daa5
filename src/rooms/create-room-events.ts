/**
 * The events that make a new room, in the order that the specification demands.
 * https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3createroom
 *
 * Pure: what is wrong with the request is thrown as the specification's error; nothing is sent here.
 */
import { badJson } from '../matrix/errors.ts';
import type { RoomAlias, UserId } from '../matrix/ids/ids.ts';
import { isUserId } from '../matrix/ids/user-id.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../matrix/json/json-value.ts';
import type { RoomVersionId, RoomVersionRules } from '../matrix/room-versions/rules.ts';
import { badAlias, newAliasesIn } from './canonical-alias.ts';
import { serverOf } from './context.ts';
import { type EncryptByDefault, encryptionByDefault } from './encryption-policy.ts';
import { checkServerAcl } from './server-acl-checks.ts';

export interface CreateRoomRequest {
  readonly visibility: 'public' | 'private';
  readonly preset: 'private_chat' | 'public_chat' | 'trusted_private_chat' | undefined;
  readonly roomVersion: RoomVersionId;
  readonly name: string | undefined;
  readonly topic: string | undefined;
  readonly alias: RoomAlias | undefined;
  readonly invite: readonly UserId[];
  readonly isDirect: boolean;
  readonly creationContent: JsonObject;
  readonly initialState: readonly { readonly type: string; readonly stateKey: string; readonly content: JsonObject }[];
  readonly powerLevelContentOverride: JsonObject;
  /** `asRequested`: only if it is in `initialState`, for rooms whose members cannot all decrypt. */
  readonly encryption: 'byDefault' | 'asRequested';
}

/** A state event still to be built: its place in the room's DAG is not known yet. */
export interface StateDraft {
  readonly type: string;
  readonly stateKey: string;
  readonly content: JsonObject;
}

interface Preset {
  readonly joinRule: string;
  readonly historyVisibility: string;
  readonly letsGuestsIn: boolean;
}
const presets: Readonly<Record<NonNullable<CreateRoomRequest['preset']>, Preset>> = {
  private_chat: { joinRule: 'invite', historyVisibility: 'shared', letsGuestsIn: true },
  trusted_private_chat: { joinRule: 'invite', historyVisibility: 'shared', letsGuestsIn: true },
  public_chat: { joinRule: 'public', historyVisibility: 'shared', letsGuestsIn: false },
};

/**
 * Steps 1 to 7 of the specification's list; the invites of step 8 are memberships like any other.
 * Errors: M_BAD_JSON for a power_level_content_override, a creation_content or an encryption that cannot stand, M_BAD_ALIAS and
 * M_INVALID_PARAM for a canonical alias in initial_state.
 */
export function createRoomEvents(
  request: CreateRoomRequest,
  creator: UserId,
  creatorMember: JsonObject,
  rules: RoomVersionRules,
  encryptByDefault: EncryptByDefault,
): StateDraft[] {
  const preset = request.preset ?? (request.visibility === 'public' ? 'public_chat' : 'private_chat');
  const additional = additionalCreators(request, creator, preset, rules);
  const creators = [creator, ...additional];
  const create = createContent(request, creator, additional, rules);
  const overridden = new Set(request.initialState.map((event) => tupleKey(event.type, event.stateKey)));
  const drafts: StateDraft[] = [
    { type: 'm.room.create', stateKey: '', content: create },
    { type: 'm.room.member', stateKey: creator, content: { ...creatorMember, membership: 'join' } },
    { type: 'm.room.power_levels', stateKey: '', content: powerLevelsContent(request, creators, preset, rules) },
  ];
  if (request.alias !== undefined)
    drafts.push({ type: 'm.room.canonical_alias', stateKey: '', content: { alias: request.alias } });
  const fromPreset: StateDraft[] = [
    { type: 'm.room.join_rules', stateKey: '', content: { join_rule: presets[preset].joinRule } },
    {
      type: 'm.room.history_visibility',
      stateKey: '',
      content: { history_visibility: presets[preset].historyVisibility },
    },
    ...guestsAllowed(presets[preset]),
    ...encryptionByDefault(encryptByDefault, request, preset),
  ];
  // initial_state takes precedence over the preset, and is overwritten by name and topic: only the last word is sent.
  drafts.push(...fromPreset.filter((draft) => !overridden.has(tupleKey(draft.type, draft.stateKey))));
  for (const draft of request.initialState) {
    if (draft.type === 'm.room.name' && draft.stateKey === '' && request.name !== undefined) continue;
    if (draft.type === 'm.room.topic' && draft.stateKey === '' && request.topic !== undefined) continue;
    if (draft.type === 'm.room.create') throw badJson('initial_state must not contain m.room.create');
    if (draft.type === 'm.room.canonical_alias' && draft.stateKey === '') checkAliases(draft.content, request);
    if (draft.type === 'm.room.server_acl' && draft.stateKey === '') checkServerAcl(draft.content, serverOf(creator));
    drafts.push(draft);
  }
  if (request.name !== undefined) drafts.push({ type: 'm.room.name', stateKey: '', content: { name: request.name } });
  if (request.topic !== undefined)
    drafts.push({ type: 'm.room.topic', stateKey: '', content: topicContent(request.topic) });
  return drafts;
}

/** No other alias can lead to a room that is being made. */
function checkAliases(content: JsonObject, { alias: own }: CreateRoomRequest): void {
  const wrong = newAliasesIn(content, {}).find((alias) => alias !== own);
  if (wrong !== undefined) throw badAlias(wrong);
}

/** Without the event guests are forbidden to join, so that a room which says so needs none; other servers do the same. */
function guestsAllowed({ letsGuestsIn }: Preset): readonly StateDraft[] {
  return letsGuestsIn ? [{ type: 'm.room.guest_access', stateKey: '', content: { guest_access: 'can_join' } }] : [];
}

const tupleKey = (type: string, stateKey: string): string => `${type}\u0000${stateKey}`;

/** Both the plain topic and its rich form. https://spec.matrix.org/v1.19/client-server-api/#mroomtopic */
function topicContent(topic: string): JsonObject {
  return { topic, 'm.topic': { 'm.text': [{ body: topic }] } };
}

/** Those whom the client names, and in a trusted private chat those invited; none where the room version knows none. */
function additionalCreators(
  request: CreateRoomRequest,
  creator: UserId,
  preset: keyof typeof presets,
  rules: RoomVersionRules,
): readonly UserId[] {
  if (!rules.eventAuth.additionalCreators) return [];
  const named = request.creationContent['additional_creators'] ?? [];
  if (!Array.isArray(named) || !named.every(isUserId))
    throw badJson('creation_content.additional_creators must be an array of user IDs');
  const all = new Set<UserId>([...named, ...(preset === 'trusted_private_chat' ? request.invite : [])]);
  all.delete(creator);
  return [...all];
}

function createContent(
  request: CreateRoomRequest,
  creator: UserId,
  additional: readonly UserId[],
  rules: RoomVersionRules,
): JsonObject {
  const { creator: _creator, room_version: _version, ...given } = request.creationContent;
  const content: Record<string, JsonValue | undefined> = { ...given, room_version: request.roomVersion };
  if (rules.eventAuth.creatorFrom === 'content') content['creator'] = creator;
  if (!rules.eventAuth.additionalCreators) return content;
  if (additional.length > 0) content['additional_creators'] = additional;
  else delete content['additional_creators'];
  return content;
}

function powerLevelsContent(
  request: CreateRoomRequest,
  creators: readonly UserId[],
  preset: keyof typeof presets,
  rules: RoomVersionRules,
): JsonObject {
  const override = request.powerLevelContentOverride;
  const content: JsonObject = {
    users: rules.eventAuth.privilegedCreators ? {} : initialUsers(request, creators, preset),
    users_default: 0,
    events: initialLevels,
    events_default: 0,
    state_default: 50,
    ban: 50,
    kick: 50,
    redact: 50,
    // Everybody may invite into a private room; a public one is joined without being asked.
    invite: preset === 'public_chat' ? 50 : 0,
    ...override,
  };
  if (!rules.eventAuth.privilegedCreators) return content;
  const { users } = override;
  if (isJsonObject(users) && creators.some((userId) => Object.hasOwn(users, userId)))
    throw badJson('power_level_content_override.users must not name a creator of the room');
  return withTombstoneLevel(content, override);
}

const initialLevels: JsonObject = {
  'm.room.name': 50,
  'm.room.avatar': 50,
  'm.room.canonical_alias': 50,
  'm.room.power_levels': 100,
  'm.room.history_visibility': 100,
  'm.room.encryption': 100,
  'm.room.server_acl': 100,
  'm.room.tombstone': 100,
};

function initialUsers(
  request: CreateRoomRequest,
  [creator]: readonly UserId[],
  preset: keyof typeof presets,
): JsonObject {
  const privileged = [
    ...(creator === undefined ? [] : [creator]),
    ...(preset === 'trusted_private_chat' ? request.invite : []),
  ];
  return Object.fromEntries(privileged.map((userId) => [userId, 100]));
}

/** Upgrades stay with the creators: the level of a tombstone must be above state_default, unless the client names one. */
function withTombstoneLevel(content: JsonObject, override: JsonObject): JsonObject {
  const { events, state_default: stateDefault } = content;
  if (!isJsonObject(events)) return content;
  const isNamed = isJsonObject(override['events']) && Object.hasOwn(override['events'], 'm.room.tombstone');
  if (isNamed) return content;
  const level = Math.max(150, typeof stateDefault === 'number' ? stateDefault + 1 : 0);
  return { ...content, events: { ...events, 'm.room.tombstone': level } };
}
