import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { stateForAuthRules } from '../../../src/matrix/event-auth/auth-types.ts';
import { checkStateDependentAuthRules } from '../../../src/matrix/event-auth/state-dependent.ts';
import { checkStateIndependentAuthRules } from '../../../src/matrix/event-auth/state-independent.ts';
import type { StateLookup } from '../../../src/matrix/events/room-event.ts';
import type { JsonObject, JsonValue } from '../../../src/matrix/json/json-value.ts';
import { roomVersions } from '../../../src/matrix/room-versions/table.ts';
import { alice, AuthRoom, bob, carol, dave, eve, mallory } from '../support/auth-room.ts';
import { eventFromCase, stateOf } from '../support/room-events.ts';

const users = [alice, bob, carol, dave, eve, mallory];
const anyJson = fc.jsonValue() as fc.Arbitrary<JsonValue>;
const user = fc.constantFrom(...users);
const odd = <T>(usual: fc.Arbitrary<T>): fc.Arbitrary<T | JsonValue> =>
  fc.oneof({ weight: 9, arbitrary: usual }, { weight: 1, arbitrary: anyJson });
const content = fc.record(
  {
    membership: odd(fc.constantFrom('join', 'invite', 'leave', 'ban', 'knock')),
    join_rule: odd(fc.constantFrom('public', 'invite', 'knock', 'restricted', 'knock_restricted', 'private')),
    join_authorised_via_users_server: odd(user),
    third_party_invite: odd(
      fc.record({
        signed: odd(fc.record({ mxid: odd(user), token: odd(fc.constantFrom('a', 'b')), signatures: anyJson })),
      }),
    ),
    users: odd(fc.dictionary(fc.oneof(user, fc.string()), odd(fc.integer({ min: -1, max: 101 })))),
    events: odd(fc.dictionary(fc.constantFrom('m.room.topic', 'constructor', '__proto__'), odd(fc.nat(100)))),
    state_default: odd(fc.nat(100)),
    public_keys: anyJson,
    additional_creators: odd(fc.array(odd(user))),
    'm.federate': odd(fc.boolean()),
    creator: odd(user),
  },
  { requiredKeys: [] },
);
const types = [
  'm.room.create',
  'm.room.member',
  'm.room.power_levels',
  'm.room.join_rules',
  'm.room.third_party_invite',
];
const event = fc
  .record({
    type: fc.constantFrom(...types, 'm.room.aliases', 'm.room.redaction', 'm.room.topic', 'm.room.message'),
    state_key: fc.option(fc.oneof(user, fc.constantFrom('', 'a', 'b', 'one.example')), { nil: undefined }),
    sender: user,
    content,
    event_id: fc.constant('$event:one.example'),
    room_id: fc.constantFrom('!create:one.example', '!room:one.example'),
    prev_events: fc.constantFrom([], ['$create:one.example'], ['$a', '$b']),
    signatures: anyJson,
    redacts: fc.constantFrom('$x:one.example', '$x', undefined),
  })
  .map((json) => eventFromCase(json as JsonObject));
const rules = fc.constantFrom(...Object.values(roomVersions));

describe('the authorisation rules', () => {
  it('look at no other state than stateForAuthRules names, and never throw', () => {
    fc.assert(
      fc.property(event, fc.array(event, { maxLength: 12 }), rules, (tried, others, ofVersion) => {
        const known = new Set(stateForAuthRules(tried, ofVersion).map((tuple) => JSON.stringify(tuple)));
        const room = new AuthRoom(ofVersion);
        const state = stateOf([
          room.create,
          ...others.filter((one) => one.type !== 'm.room.create' && one.stateKey !== undefined),
        ]);
        const guarded: StateLookup = (type, stateKey) => {
          const tuple = JSON.stringify([type, stateKey]);
          if (!known.has(tuple)) throw new Error(`The rules read ${tuple}`);
          return state(type, stateKey);
        };
        expect(checkStateDependentAuthRules(tried, guarded, ofVersion).ok).toBeTypeOf('boolean');
        const cited = others.map((one) => ({ event: one, rejected: false }));
        const create = { event: room.create, rejected: false };
        expect(checkStateIndependentAuthRules(tried, cited, ofVersion, create).ok).toBeTypeOf('boolean');
      }),
      { numRuns: 1000 },
    );
  });

  it('refuse everything but a create event while the state has none', () => {
    fc.assert(
      fc.property(event, rules, (tried, ofVersion) => {
        const result = checkStateDependentAuthRules(tried, () => undefined, ofVersion);
        expect(result.ok).toBe(tried.type === 'm.room.create');
      }),
    );
  });
});
