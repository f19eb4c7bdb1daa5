/** One evaluation for all users of a ruleset must say what an evaluation for each of them says. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { RoomEvent } from '../../../src/matrix/events/room-event.ts';
import type { EventId, RoomId, UserId } from '../../../src/matrix/ids/ids.ts';
import { localpartOf } from '../../../src/matrix/ids/user-id.ts';
import type { JsonObject } from '../../../src/matrix/json/json-value.ts';
import { compilePushRules } from '../../../src/matrix/push-rules/compile-push-rules.ts';
import {
  defaultRules,
  defaultRulesNotify,
  defaultRulesOutcome,
} from '../../../src/matrix/push-rules/default-notify.ts';
import { anyone, defaultPushRules } from '../../../src/matrix/push-rules/default-push-rules.ts';
import { addPushRule, setPushRuleEnabled } from '../../../src/matrix/push-rules/edit-push-rules.ts';
import type { PushRecipient, PushRoom } from '../../../src/matrix/push-rules/push-context.ts';
import { PushEvent, pushEventOf } from '../../../src/matrix/push-rules/push-event.ts';
import {
  mergePushRules,
  unchangedPushRules,
  type UserPushRules,
} from '../../../src/matrix/push-rules/user-push-rules.ts';

const [alice, bob, carol] = ['@alice:example.org', '@bob:example.org', '@carol:example.org'] as [
  UserId,
  UserId,
  UserId,
];
const people: readonly PushRecipient[] = [
  { userId: alice, displayName: 'Alice A.', followsThread: true },
  { userId: bob, displayName: undefined, followsThread: false },
  { userId: carol, displayName: 'carol' },
];
const room: PushRoom = { memberCount: 3, senderMayNotify: (key) => key === 'room' };

const ownRules: UserPushRules = (
  [
    ['override', 'muted', { actions: [], conditions: [{ kind: 'event_match', key: 'room_id', pattern: '!Muted' }] }],
    [
      'override',
      'name',
      { actions: ['notify', { set_tweak: 'highlight' }], conditions: [{ kind: 'contains_display_name' }] },
    ],
    ['content', 'tea', { actions: ['notify', { set_tweak: 'highlight' }], pattern: 'tea*' }],
    ['room', '!quiet', { actions: [] }],
    ['sender', bob, { actions: ['notify', { set_tweak: 'sound', value: 'bark' }] }],
  ] as const
).reduce((user, [kind, id, rule]) => addPushRule(user, kind, id, rule), unchangedPushRules);

const threadRules = ['unsubscribed_thread', 'subscribed_thread'].reduce((user, name) => {
  const id = `.io.element.msc4306.rule.${name}`;
  return setPushRuleEnabled(user, defaultPushRules(anyone), 'postcontent', id, true);
}, ownRules);

const events: fc.Arbitrary<JsonObject> = fc
  .record({
    type: fc.constantFrom('m.room.message', 'm.room.member', 'm.room.encrypted', 'm.room.tombstone', 'm.reaction', 'x'),
    room_id: fc.constantFrom('!a', '!muted', '!quiet'),
    sender: fc.constantFrom<UserId>('@zoe:example.org' as UserId, bob),
    stateKey: fc.option(fc.constantFrom('', alice, 'x'), { nil: undefined }),
    content: fc.record(
      {
        body: fc.constantFrom('hello', 'Alice A. and carol', 'tea for bob', '@room', 'bobby'),
        msgtype: fc.constantFrom('m.text', 'm.notice'),
        membership: fc.constantFrom('invite', 'join'),
        'm.mentions': fc.record(
          { user_ids: fc.subarray([alice, bob, 'x', 1]), room: fc.boolean() },
          { requiredKeys: [] },
        ),
        'm.relates_to': fc.record({ rel_type: fc.constantFrom('m.replace', 'm.thread') }),
      },
      { requiredKeys: [] },
    ),
  })
  .map(
    ({ stateKey, ...event }) =>
      ({ ...event, ...(stateKey === undefined ? {} : { state_key: stateKey }) }) as JsonObject,
  );

describe.each([
  ['the default rules', unchangedPushRules, false],
  ['the default rules with those of old', unchangedPushRules, true],
  ["a user's own rules", ownRules, true],
  ['rules about threads that one follows', threadRules, true],
] as const)('%s', (_name, user, legacyMentions) => {
  const shared = compilePushRules(mergePushRules(user, defaultPushRules(anyone, { legacyMentions })));
  const personal = new Map(
    people.map(({ userId }) => [
      userId,
      compilePushRules(mergePushRules(user, defaultPushRules(userId, { legacyMentions }))),
    ]),
  );

  test('compiled for anyone say what those compiled for one user say', () => {
    fc.assert(
      fc.property(events, (json) => {
        const event = new PushEvent(json);
        for (const person of people)
          expect(shared.evaluate(event, room, person)).toEqual(
            personal.get(person.userId)!.evaluate(event, room, person),
          );
      }),
      { numRuns: 2000 },
    );
  });

  test('differ only for those whom the event names', () => {
    fc.assert(
      fc.property(events, (json) => {
        const event = new PushEvent(json);
        const { outcome, namedUserIds, bodyDecides, threadDecides } = shared.evaluateForAnyone(event, room);
        for (const person of people) {
          const body = event.body ?? '';
          const inBody = [person.displayName, localpartOf(person.userId)].some(
            (name) => name !== undefined && body.includes(name.toLowerCase()),
          );
          if (threadDecides && person.followsThread !== undefined) continue;
          if (namedUserIds.includes(person.userId) || (bodyDecides && inBody)) continue;
          expect(shared.evaluate(event, room, person)).toEqual(outcome);
        }
      }),
      { numRuns: 2000 },
    );
  });
});

const roomEvent = (fields: Partial<RoomEvent>): RoomEvent => ({
  eventId: '$event' as EventId,
  roomId: '!room' as RoomId,
  type: 'm.room.message',
  stateKey: undefined,
  sender: '@zoe:example.org' as UserId,
  content: {},
  originServerTs: 0,
  depth: 1,
  prevEvents: [],
  authEvents: [],
  redacts: undefined,
  pdu: {},
  ...fields,
});

describe('counting by the default rules', () => {
  test.each<[Partial<RoomEvent>, boolean]>([
    [{}, true],
    [{ type: 'm.room.encrypted' }, true],
    [{ type: 'm.call.invite' }, true],
    [{ type: 'm.room.tombstone', stateKey: '' }, true],
    [{ type: 'm.room.tombstone' }, false],
    [{ content: { msgtype: 'm.notice' } }, false],
    [{ content: { 'm.relates_to': { rel_type: 'm.replace' } } }, false],
    [{ type: 'm.room.member', stateKey: alice, content: { membership: 'invite' } }, false],
    [{ type: 'm.reaction' }, false],
    [{ type: 'm.room.name', stateKey: '' }, false],
    [{ type: 'm.poll.start', content: { 'm.mentions': { room: true } } }, false],
  ])('%s: %s', (fields, notifies) => {
    expect(defaultRulesNotify(roomEvent(fields))).toBe(notifies);
  });

  test('names whom the event mentions or invites, and nobody where another rule comes first', () => {
    const mentions = { 'm.mentions': { user_ids: [alice, bob, alice, 7] } };
    const namedIn = (fields: Partial<RoomEvent>): readonly string[] =>
      defaultRulesOutcome(roomEvent(fields), room).namedUserIds;
    expect(namedIn({ content: mentions })).toEqual([alice, bob]);
    expect(namedIn({ content: { ...mentions, msgtype: 'm.notice' } })).toEqual([]);
    expect(namedIn({ type: 'm.room.member', stateKey: carol, content: { membership: 'invite' } })).toEqual([carol]);
    expect(namedIn({ type: 'm.room.member', stateKey: carol, content: { membership: 'join', ...mentions } })).toEqual(
      [],
    );
    expect(namedIn({})).toEqual([]);
  });

  test('a mention of the room highlights for all, where the sender may', () => {
    const event = roomEvent({ type: 'm.poll.start', content: { 'm.mentions': { room: true } } });
    expect(defaultRulesOutcome(event, room).outcome).toMatchObject({ notify: true, highlight: true });
    expect(defaultRulesOutcome(event, { ...room, senderMayNotify: () => false }).outcome.notify).toBe(false);
  });

  test('a body with a name in it decides nothing unless a rule looks for it', () => {
    const event = roomEvent({ content: { body: 'alice' } });
    expect(defaultRulesOutcome(event, room).bodyDecides).toBe(false);
    const legacy = compilePushRules(defaultPushRules(anyone, { legacyMentions: true }));
    expect(legacy.evaluateForAnyone(pushEventOf(event), room).bodyDecides).toBe(true);
    const silent = roomEvent({ content: { body: 'alice', 'm.mentions': {} } });
    expect(legacy.evaluateForAnyone(pushEventOf(silent), room).bodyDecides).toBe(false);
    expect(legacy.evaluate(pushEventOf(event), room, people[0]!)).toMatchObject({
      ruleId: '.m.rule.contains_user_name',
      highlight: true,
    });
  });

  test('sounds depend on the number of members', () => {
    const recipient = people[0]!;
    const tweaks = (memberCount: number): JsonObject => ({
      ...defaultRules.evaluate(pushEventOf(roomEvent({})), { ...room, memberCount }, recipient).tweaks,
    });
    expect(tweaks(2)).toEqual({ sound: 'default' });
    expect(tweaks(3)).toEqual({});
  });
});
