/** From what the specification says about a request: requests that must be refused, and requests that must do no harm. */
import type { Endpoint } from '../../../src/http/endpoint.ts';
import type { JsonValue } from '../../../src/matrix/json/json-value.ts';
import { furtherErrcodes } from './known-answers.ts';
import type { RequestDefinition, Shape } from './request-definitions.ts';
import {
  type BodyPlace,
  malformedIds,
  malformedServerNames,
  malformedTokens,
  namedSample,
  placesIn,
  sampleBody,
  sampleOf,
  sigilOfFormat,
  sigilOfParameter,
  tokenParameters,
  wrongTypesFor,
} from './samples.ts';
import type { World } from './world.ts';

export interface BadRequest {
  /** Names the kind of mistake and its place: one operation has each only once. */
  readonly what: string;
  readonly target: string;
  readonly token?: string;
  readonly body?: string;
  readonly status: readonly number[];
  readonly errcodes: readonly string[];
}

/** An endpoint with what the specification says of it; our own endpoints have no definition. */
export interface Subject {
  readonly endpoint: Endpoint<never>;
  readonly definition: RequestDefinition | undefined;
}

/** Of any operation. https://spec.matrix.org/v1.19/client-server-api/#common-error-codes */
export const commonErrcodes: readonly string[] = [
  'M_FORBIDDEN',
  'M_UNKNOWN_TOKEN',
  'M_MISSING_TOKEN',
  'M_BAD_JSON',
  'M_NOT_JSON',
  'M_NOT_FOUND',
  'M_UNRECOGNIZED',
  'M_MISSING_PARAM',
  'M_INVALID_PARAM',
  'M_TOO_LARGE',
];

/** What the operation must refuse, changing nothing. */
export function badRequests(subject: Subject, world: World): readonly BadRequest[] {
  return [
    ...badTokens(subject, world),
    ...badPathParameters(subject, world),
    ...foreignResources(subject, world),
    ...badQueries(subject, world),
    ...badBodies(subject, world),
  ];
}

/** Whether a token that is unknown is refused. */
const isAuthenticated = ({ endpoint }: Subject): boolean =>
  endpoint.auth !== 'none' && endpoint.auth !== 'knownAccessToken';

function tokenFor({ endpoint }: Subject, world: World): { readonly token?: string } {
  if (endpoint.auth === 'none') return {};
  return { token: endpoint.auth === 'adminAccessToken' ? world.administrator : world.alice.token };
}

const always = (errcode: string, status = 400): Pick<BadRequest, 'status' | 'errcodes'> => ({
  status: [status],
  errcodes: [errcode],
});

function badTokens(subject: Subject, world: World): readonly BadRequest[] {
  const { endpoint } = subject;
  if (!isAuthenticated(subject)) return [];
  const target = targetOf(subject, world);
  const unknown = always('M_UNKNOWN_TOKEN', 401);
  return [
    ...(endpoint.auth === 'optionalAccessToken'
      ? []
      : [{ what: 'no token', target, ...always('M_MISSING_TOKEN', 401) }]),
    { what: 'an unknown token', target, token: 'unknown', ...unknown },
    { what: 'an unknown token of our form', target, token: `vca_${'a'.repeat(43)}`, ...unknown },
    { what: 'a very long token', target, token: 'x'.repeat(8_000), ...unknown },
    { what: 'the token of an ended session', target, token: world.endedToken, ...unknown },
    ...(endpoint.auth === 'adminAccessToken'
      ? [{ what: 'the token of no administrator', target, token: world.alice.token, ...always('M_FORBIDDEN', 403) }]
      : []),
  ];
}

function badPathParameters(subject: Subject, world: World): readonly BadRequest[] {
  const token = tokenFor(subject, world);
  const { body } = withSampleBody(subject, world);
  return parameterNames(subject).flatMap((name) => {
    const sigil = sigilOfParameter[name];
    const request = (value: string): Omit<BadRequest, 'what' | 'status' | 'errcodes'> => ({
      target: targetOf(subject, world, { [name]: value }),
      ...token,
      ...body,
    });
    // An empty segment is another path.
    const ids = sigil === undefined ? [] : malformedIds(sigil).filter((id) => id !== '');
    return [
      ...ids.map((id) => ({
        what: `${name} ${shown(id)}`,
        ...request(encodeURIComponent(id)),
        // Below /user/{userId} everything that is not the own id is somebody else's.
        ...(name === 'userId'
          ? { status: [400, 403], errcodes: ['M_INVALID_PARAM', 'M_FORBIDDEN'] }
          : always('M_INVALID_PARAM')),
      })),
      { what: `${name} with a malformed escape`, ...request('%zz'), ...always('M_INVALID_PARAM') },
      { what: `${name} that is not UTF-8`, ...request('%ed%a0%80'), ...always('M_INVALID_PARAM') },
      { what: `${name} of 300 bytes`, ...request('x'.repeat(300)), ...refused(subject) },
      { what: `${name} of 300 bytes in 100 characters`, ...request('%E2%82%AC'.repeat(100)), ...refused(subject) },
    ];
  });
}

/** Rooms one is not in, what others have, what nobody has. */
function foreignResources(subject: Subject, world: World): readonly BadRequest[] {
  const token = tokenFor(subject, world);
  const { body } = withSampleBody(subject, world);
  const values: Readonly<Record<string, readonly string[]>> = {
    roomId: [world.foreignRoom, '!nowhere:localhost', '!nowhere:elsewhere.example', `!${'a'.repeat(43)}`],
    roomIdOrAlias: [world.foreignRoom, '!nowhere:localhost', '#nowhere:localhost'],
    roomAlias: subject.endpoint.method === 'PUT' ? ['#free:elsewhere.example'] : ['#nowhere:localhost'],
    eventId: [world.foreignEvent, `$${'a'.repeat(43)}`, '$nothing:localhost'],
    userId: [world.bob.userId, '@nobody:localhost', '@nobody:elsewhere.example'],
    deviceId: [world.bob.deviceId, 'NODEVICE'],
    filterId: ['999999', 'x'],
  };
  return parameterNames(subject).flatMap((name) =>
    (values[name] ?? []).map((value, index) => ({
      what: `foreign ${name} ${index}`,
      target: targetOf(subject, world, { [name]: encodeURIComponent(value) }),
      ...token,
      ...body,
      ...refused(subject),
    })),
  );
}

function badQueries(subject: Subject, world: World): readonly BadRequest[] {
  const token = tokenFor(subject, world);
  const { body } = withSampleBody(subject, world);
  const query = subject.definition?.query ?? {};
  const request = (what: string, name: string, text: string | undefined, errcode: string): BadRequest => ({
    what: `query ${name}: ${what}`,
    target: targetOf(subject, world, {}, { [name]: text }),
    ...token,
    ...body,
    ...always(errcode),
  });
  // Parameters that an endpoint does not know are ignored, as the specification has it for all of them.
  const known = Object.entries(query).filter(([name]) => Object.hasOwn(subject.endpoint.query, name));
  return known.flatMap(([name, shape]) => [
    ...(shape.isRequired === true ? [request('absent', name, undefined, 'M_MISSING_PARAM')] : []),
    ...wrongTexts(name, shape).map((text) => request(shown(text), name, encodeURIComponent(text), 'M_INVALID_PARAM')),
    request('a malformed escape', name, '%zz', 'M_INVALID_PARAM'),
    request('not UTF-8', name, '%ff', 'M_INVALID_PARAM'),
  ]);
}

function wrongTexts(name: string, { types, values, format }: Shape): readonly string[] {
  if (types?.includes('integer') === true) return ['x', '', '-1', '1.5', '1e3', ' 1', '99999999999999999999'];
  if (types?.includes('boolean') === true) return ['maybe', '1', 'TRUE', ''];
  if (values !== undefined) return ['nonsense', '\0'];
  if (tokenParameters.has(name)) return malformedTokens;
  if (format === 'mx-server-name') return malformedServerNames;
  const sigil = sigilOfFormat[format ?? ''];
  return sigil === undefined ? [] : malformedIds(sigil).slice(1);
}

function badBodies(subject: Subject, world: World): readonly BadRequest[] {
  const shape = subject.definition?.body ?? (subject.endpoint.body === undefined ? undefined : {});
  if (shape === undefined || subject.endpoint.bodyFormat === 'form') return [];
  const request = { target: targetOf(subject, world), ...tokenFor(subject, world) };
  const notJson = ['hello', '{"a":1', '{"a":1} x', "{'a':1}", 'a=1', '\ufeff{}', '{"a":NaN}', '{"a":"\n"}'];
  const badJson = [
    '[]',
    'null',
    '"text"',
    '5',
    'true',
    '[{}]',
    '{"twice":1,"twice":2}',
    '{"deep":{"twice":1,"twice":2}}',
    '{"half":"\\ud800"}',
    '{"\\udc00":"half"}',
    '{"huge":1e999}',
    `{"deep":${'['.repeat(5_000)}${']'.repeat(5_000)}}`,
    `{"deep":${'{"a":'.repeat(5_000)}1${'}'.repeat(5_000)}}`,
    '['.repeat(50_000),
  ];
  return [
    ...notJson.map((body) => ({ what: `body ${shown(body)}`, ...request, body, ...always('M_NOT_JSON') })),
    ...badJson.map((body) => ({ what: `body ${shown(body)}`, ...request, body, ...always('M_BAD_JSON') })),
    ...placesIn(shape, subject.endpoint.operationId, world).flatMap((place) =>
      badFields(place).map(({ what, body, errcodes }) => ({
        what: `body${place.at} ${what}`,
        ...request,
        body: JSON.stringify(body),
        ...answerToField(place, subject, errcodes),
      })),
    ),
  ];
}

/** A stage of user-interactive authentication that cannot be read is one more stage that has not been passed. */
function answerToField(
  { at }: BodyPlace,
  subject: Subject,
  errcodes: readonly string[],
): Pick<BadRequest, 'status' | 'errcodes'> {
  const isStage = at.startsWith('.auth');
  return {
    status: isStage ? [400, 401] : [400],
    errcodes: [...errcodes, ...errcodesOf(subject), ...(isStage ? ['M_FORBIDDEN', interactiveAuthentication] : [])],
  };
}

/** Stands for the answer with flows, which has no errcode. */
export const interactiveAuthentication = 'flows';

const depthOf = ({ at }: Pick<BodyPlace, 'at'>): number => at.split(/[.[]/).length - 1;

function badFields({ shape, isRequired, ...place }: BodyPlace): readonly {
  readonly what: string;
  readonly body: JsonValue;
  readonly errcodes: readonly string[];
}[] {
  const sigil = sigilOfFormat[shape.format ?? ''];
  return [
    ...(isRequired && place.without !== undefined
      ? [{ what: 'absent', body: place.without(), errcodes: ['M_MISSING_PARAM', 'M_BAD_JSON'] }]
      : []),
    // Deep down two wrong types stand for all.
    ...wrongTypesFor(shape, isRequired)
      .slice(0, depthOf(place) > 2 ? 2 : undefined)
      .map((value) => ({
        what: `as ${JSON.stringify(value)}`,
        body: place.with(value),
        errcodes: ['M_BAD_JSON', 'M_INVALID_PARAM', ...(value === null ? ['M_MISSING_PARAM'] : [])],
      })),
    ...(shape.values === undefined
      ? []
      : [{ what: 'as nonsense', body: place.with('nonsense'), errcodes: ['M_BAD_JSON', 'M_INVALID_PARAM'] }]),
    ...(sigil === undefined
      ? []
      : malformedIds(sigil).map((id) => ({
          what: `as ${shown(id)}`,
          body: place.with(id),
          errcodes: ['M_BAD_JSON', 'M_INVALID_PARAM'],
        }))),
  ];
}

/** Odd, but not wrong by itself: the answer may be anything that is not a failure of ours. */
export function oddRequests(subject: Subject, world: World): readonly Omit<BadRequest, 'status' | 'errcodes'>[] {
  const token = tokenFor(subject, world);
  const { body } = withSampleBody(subject, world);
  const oddTexts = ['\0', 'a\0b', '\u{1f33b}', '../%', ' ', '__proto__', 'x'.repeat(70_000)];
  const inPath = parameterNames(subject).flatMap((name) =>
    ['%00', 'a%00b', '%F0%9F%8C%BB', '%2E%2E%2F%25', '%20', '__proto__', 'constructor'].map((text) => ({
      what: `${name} ${text}`,
      target: targetOf(subject, world, { [name]: text }),
      ...token,
      ...body,
    })),
  );
  const query = { ...subject.definition?.query, ...Object.fromEntries(namesOf(subject.endpoint.query)) };
  const inQuery = Object.keys(query).flatMap((name) =>
    [...oddTexts.slice(0, -1), 'x'.repeat(5_000), 's0', 's9007199254740991', 't0', 't-9007199254740991', '{', '{"a":1}']
      .map(encodeURIComponent)
      .map((text) => ({
        what: `query ${name} ${shown(text)}`,
        target: targetOf(subject, world, {}, { [name]: text }),
        ...token,
        ...body,
      })),
  );
  const shape = subject.definition?.body;
  const inBody = (shape === undefined ? [] : placesIn(shape, subject.endpoint.operationId, world)).flatMap((place) =>
    oddValues(place.shape, oddTexts).map((value) => ({
      what: `body${place.at} ${shown(JSON.stringify(value))}`,
      target: targetOf(subject, world),
      ...token,
      body: JSON.stringify(place.with(value)),
    })),
  );
  return [...inPath, ...inQuery, ...inBody];
}

function oddValues({ types }: Shape, oddTexts: readonly string[]): readonly JsonValue[] {
  const isAnything = types === undefined;
  return [
    ...(isAnything || types.includes('string') ? oddTexts : []),
    ...(isAnything || types.includes('integer') || types.includes('number')
      ? [0, -1, Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER]
      : []),
    ...(isAnything || types.includes('object') ? [{ '\0': '\0', __proto__x: 1, '': '' }] : []),
    ...(isAnything || types.includes('array') ? [Array.from({ length: 2_000 }, () => 'x')] : []),
  ];
}

// ---- how a request is put together ----

function withSampleBody(
  { endpoint, definition }: Subject,
  world: World,
): { readonly body: { readonly body?: string } } {
  if (endpoint.body === undefined && definition?.body === undefined) return { body: {} };
  if (endpoint.method === 'GET') return { body: {} };
  return { body: { body: JSON.stringify(sampleBody(definition?.body ?? {}, endpoint.operationId, world)) } };
}

const parameterNames = ({ endpoint }: Subject): readonly string[] =>
  [...endpoint.path.matchAll(/\{(\w+)\}/g)].map((match) => match[1] ?? '');

const namesOf = (decoders: object): [string, object][] => Object.keys(decoders).map((name) => [name, {}]);

/** `changes` stand in the path, `query` in the query, both as they are; a query value of undefined is left out. */
function targetOf(
  { endpoint, definition }: Subject,
  world: World,
  changes: Readonly<Record<string, string>> = {},
  query: Readonly<Record<string, string | undefined>> = {},
): string {
  const path = endpoint.path.replaceAll(
    /\{(\w+)\}/g,
    (_, name: string) => changes[name] ?? encodeURIComponent(namedSample(name, world) ?? 'x'),
  );
  const required = Object.entries(definition?.query ?? {})
    .filter(([, shape]) => shape.isRequired === true)
    .map(([name, shape]): [string, string] => [name, encodeURIComponent(String(sampleOf(shape, name, world)))]);
  const pairs = Object.entries({ ...Object.fromEntries(required), ...query });
  const text = pairs.filter(([, value]) => value !== undefined).map(([name, value]) => `${name}=${value}`);
  return text.length === 0 ? path : `${path}?${text.join('&')}`;
}

/** Some refusal that the specification has for the operation. */
function refused(subject: Subject): Pick<BadRequest, 'status' | 'errcodes'> {
  // Who has not proven who they are learns nothing of what is there.
  const isInteractive = subject.definition?.body?.fields?.['auth'] !== undefined;
  return {
    status: [400, 403, 404, ...(isInteractive ? [401] : [])],
    errcodes: [...commonErrcodes, ...errcodesOf(subject), ...(isInteractive ? [interactiveAuthentication] : [])],
  };
}

export const errcodesOf = ({ endpoint, definition }: Subject): readonly string[] => [
  ...(definition?.errcodes ?? []),
  ...(furtherErrcodes[endpoint.operationId] ?? []),
];

const shown = (text: string): string => JSON.stringify(text.length > 40 ? `${text.slice(0, 37)}…${text.length}` : text);
