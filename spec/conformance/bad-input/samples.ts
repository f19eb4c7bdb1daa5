/** Values that fit a shape, values that do not, and the places in a body where they can stand. */
import type { JsonObject, JsonValue } from '../../../src/matrix/json/json-value.ts';
import type { Shape } from './request-definitions.ts';
import type { World } from './world.ts';

/** What a path or query parameter, or a field of a body, may hold to go with the world. */
export function namedSample(name: string, world: World): string | undefined {
  switch (name) {
    case 'roomId':
    case 'roomIdOrAlias':
    case 'room_id':
      return world.room;
    case 'eventId':
    case 'event_id':
      return world.event;
    case 'userId':
      return world.alice.userId;
    case 'user_id':
      return world.bob.userId;
    case 'deviceId':
    case 'device_id':
      return world.alice.deviceId;
    case 'roomAlias':
      return '#free:localhost';
    case 'filterId':
      return world.filterId;
    case 'version':
      return world.keyBackup;
    case 'receiptType':
      return 'm.read';
    case 'kind':
      return 'override';
    case 'from':
    case 'to':
      return 's0';
    case 'dir':
      return 'b';
    case 'membership':
      return 'join';
    case 'keyName':
      return 'displayname';
    case 'serverName':
      return 'localhost';
    default:
      return undefined;
  }
}

/** A value of the shape with no more than what is required. */
export function sampleOf(shape: Shape, name: string, world: World): JsonValue {
  const [type = 'object'] = shape.types ?? [];
  const [value] = shape.values ?? [];
  if (type === 'string' && value !== undefined) return value;
  switch (type) {
    case 'string':
      return sampleText(shape, name, world);
    case 'boolean':
      return true;
    case 'integer':
    case 'number':
      return 1;
    case 'array':
      return [];
    case 'null':
      return null;
    default: {
      const required = (shape.required ?? []).map((field): [string, JsonValue] => [
        field,
        sampleOf(shape.fields?.[field] ?? {}, field, world),
      ]);
      return Object.fromEntries(required);
    }
  }
}

/** A body with what is required, by the schema or by the prose. */
export function sampleBody(shape: Shape, operationId: string, world: World): JsonObject {
  return { ...(sampleOf(shape, 'body', world) as JsonObject), ...requiredByProse[operationId] };
}

const requiredByProse: Readonly<Record<string, JsonObject>> = {
  register: { username: 'somebody', password: 'long enough to pass' },
  changePassword: { new_password: 'long enough to pass' },
};

function sampleText({ format }: Shape, name: string, world: World): string {
  if (format === 'mx-user-id') return world.bob.userId;
  return namedSample(name, world) ?? 'x';
}

/** One place in a body, and how a body looks that has a given value there. */
export interface BodyPlace {
  readonly at: string;
  readonly shape: Shape;
  readonly isRequired: boolean;
  with(value: JsonValue): JsonObject;
  /** Only for named fields. */
  without?(): JsonObject;
}

/** Every field, entry and further field of a body. */
export function placesIn(shape: Shape, operationId: string, world: World): readonly BodyPlace[] {
  const base = sampleBody(shape, operationId, world);
  return placesBelow(shape, '', (value) => value as JsonObject, base, world);
}

function placesBelow(
  shape: Shape,
  at: string,
  wrap: (value: JsonValue) => JsonObject,
  base: JsonValue,
  world: World,
): readonly BodyPlace[] {
  const fields = typeof base === 'object' && base !== null && !Array.isArray(base) ? (base as JsonObject) : {};
  const named = Object.entries({ ...shape.fields, ...(shape.others === undefined ? {} : { other: shape.others }) });
  const ofFields = named.flatMap(([name, inner]) => {
    const place: BodyPlace = {
      at: `${at}.${name}`,
      shape: inner,
      isRequired: shape.required?.includes(name) === true,
      with: (value) => wrap({ ...fields, [name]: value }),
      without() {
        const { [name]: _left, ...rest } = fields;
        return wrap(rest);
      },
    };
    return [place, ...placesBelow(inner, place.at, place.with, sampleOf(inner, name, world), world)];
  });
  const { items } = shape;
  if (items === undefined) return ofFields;
  const entry: BodyPlace = {
    at: `${at}[0]`,
    shape: items,
    isRequired: true,
    with: (value) => wrap([value]),
  };
  return [...ofFields, entry, ...placesBelow(items, entry.at, entry.with, sampleOf(items, '', world), world)];
}

/** Values of every type that the shape does not have. */
export function wrongTypesFor({ types }: Shape, isRequired: boolean): readonly JsonValue[] {
  if (types === undefined) return [];
  const isNumber = types.includes('integer') || types.includes('number');
  return [
    ...(types.includes('string') ? [] : ['text']),
    ...(isNumber ? [] : [5]),
    ...(types.includes('integer') && !types.includes('number') ? [1.5, 2 ** 53] : []),
    ...(types.includes('boolean') ? [] : [true]),
    ...(types.includes('array') ? [] : [[]]),
    ...(types.includes('object') ? [] : [{ a: 1 }]),
    // For what may be absent, several clients send null.
    ...(isRequired && !types.includes('null') ? [null] : []),
  ];
}

const tooLong = 'x'.repeat(300);

/** Texts that are no identifier of the kind. */
export function malformedIds(sigil: string): readonly string[] {
  const common = ['', 'x', sigil, `x${sigil}`, `${sigil}${tooLong}:localhost`, `${sigil}a\0b:localhost`];
  // Room ids are opaque; what follows a colon in them is no server name since version 12.
  return sigil === '!' ? common : [...common, `${sigil}x:local host`];
}

export const malformedServerNames: readonly string[] = ['a b', 'a:b:c', 'a:123456', `${tooLong}.example`, 'a\0b'];

export const sigilOfParameter: Readonly<Record<string, string>> = {
  roomId: '!',
  roomIdOrAlias: '!',
  roomAlias: '#',
  eventId: '$',
  userId: '@',
};
export const sigilOfFormat: Readonly<Record<string, string>> = {
  'mx-user-id': '@',
  'mx-event-id': '$',
  'mx-room-id': '!',
  'mx-room-alias': '#',
};

/** What is no token of ours, of any kind. */
export const malformedTokens: readonly string[] = [
  'x',
  's',
  's-1',
  's1.5',
  's1_2_3',
  'S1',
  's 1',
  's99999999999999999999',
  's9007199254740993',
  't',
  'tx',
  't1.5',
  't1_2',
  '1',
  '\0',
  `s${'1'.repeat(10_000)}`,
];
export const tokenParameters: ReadonlySet<string> = new Set(['from', 'to', 'since', 'at', 'next_batch']);
