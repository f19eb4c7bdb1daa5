import { describe, expect, it } from 'vitest';
import { authTypesForEvent, stateForAuthRules } from '../../../src/matrix/event-auth/auth-types.ts';
import { checkCreate } from '../../../src/matrix/event-auth/create.ts';
import { creatorsOf } from '../../../src/matrix/event-auth/creators.ts';
import { checkMembership } from '../../../src/matrix/event-auth/membership.ts';
import { powerLevelValue } from '../../../src/matrix/event-auth/power-level-value.ts';
import { authorisePowerLevelsContent } from '../../../src/matrix/event-auth/power-levels-content.ts';
import { powerLevelOf } from '../../../src/matrix/event-auth/power-levels.ts';
import { checkRedaction } from '../../../src/matrix/event-auth/redaction.ts';
import { checkStateDependentAuthRules } from '../../../src/matrix/event-auth/state-dependent.ts';
import { checkStateIndependentAuthRules } from '../../../src/matrix/event-auth/state-independent.ts';
import type { AuthResult, RoomEvent, StateTuple } from '../../../src/matrix/events/room-event.ts';
import type { JsonObject } from '../../../src/matrix/json/json-value.ts';
import { parseJson } from '../../../src/matrix/json/parse-json.ts';
import type { SpecifiedRoomVersionId } from '../../../src/matrix/room-versions/rules.ts';
import { roomVersions } from '../../../src/matrix/room-versions/table.ts';
import { describeShared, loadFixture } from '../../support/shared.ts';
import { eventFromCase, stateOf } from '../support/room-events.ts';

/** Cases that are not ours to pass, each with the reason. The opposite outcome is asserted. */
const disagreements: Readonly<Record<string, string>> = {
  'TestAllowedEmptyRoom/not_allowed/6': 'no rule asks for the state_key of a create event',
  'TestAllowedEmptyRoom/not_allowed/7': 'no rule asks for an empty state_key of a create event',
  'TestAllowedFirstJoin/not_allowed/6':
    'the rule on the first join does not compare sender and state_key, as Synapse reads it too',
  'TestRedactAllowed/not_allowed/2': 'the grammar of redacts is a matter of the event format',
  'TestRedactAllowed/not_allowed/3': 'that redacts is missing is a matter of the event format',
};

interface RumaCase {
  readonly name: string;
  readonly check: string;
  readonly rules: SpecifiedRoomVersionId;
  readonly event: JsonObject;
  readonly state?: readonly JsonObject[];
  readonly known_events?: readonly { readonly event: JsonObject; readonly rejected: boolean }[];
  readonly current_power_levels?: JsonObject | null;
  readonly sender_power_level?: number | 'infinite';
  readonly creators?: readonly string[];
  readonly power_levels?: JsonObject;
  readonly allowed: boolean;
}

describeShared('ruma: event authorisation', () => {
  const { cases } = loadFixture<{ cases: RumaCase[] }>('event-auth/ruma.json');
  for (const [index, one] of cases.entries()) {
    it(`${index} ${one.check}, version ${one.rules}: ${one.name} ${one.allowed ? 'allowed' : 'refused'}`, () => {
      expect(runRumaCase(one)).toMatchObject({ ok: one.allowed });
    });
  }
  it('has all its cases', () => expect(cases.length).toBe(213));
});

function runRumaCase(one: RumaCase): AuthResult {
  const rules = roomVersions[one.rules];
  const event = eventFromCase(one.event);
  const state = (one.state ?? []).map((json) => eventFromCase(json));
  const create = state.find(({ type }) => type === 'm.room.create');
  switch (one.check) {
    case 'room_create':
      return checkCreate(event, rules);
    case 'room_member':
      if (create === undefined) throw new Error('The case has no create event');
      return checkMembership(event, create, stateOf(state), rules);
    case 'room_power_levels':
      return authorisePowerLevelsContent(
        {
          content: event.content,
          current: one.current_power_levels ? eventFromCase(one.current_power_levels) : undefined,
          sender: event.sender,
          senderLevel: one.sender_power_level === 'infinite' ? Infinity : (one.sender_power_level ?? 0),
          creators: one.creators ?? [],
        },
        rules,
      );
    case 'room_redaction': {
      // `redact_level` is what the sender has, which the power levels event says too.
      const powerLevels = eventFromCase(one.power_levels ?? {});
      const creator = eventFromCase({ type: 'm.room.create', sender: '@nobody:matrix.local', event_id: '$create' });
      return checkRedaction(event, creator, stateOf([powerLevels]), rules);
    }
    case 'state_independent': {
      const known = new Map(
        (one.known_events ?? []).map(({ event: json, rejected }) => {
          const known = eventFromCase(json);
          return [known.eventId, { event: known, rejected }] as const;
        }),
      );
      const cited = event.authEvents.map((id) => known.get(id)).filter((entry) => entry !== undefined);
      const roomCreate = [...known.values()].find((entry) => entry.event.type === 'm.room.create');
      return checkStateIndependentAuthRules(event, cited, rules, roomCreate);
    }
    case 'state_dependent':
      return checkStateDependentAuthRules(event, stateOf(state), rules);
    default:
      throw new Error(`Unknown check ${one.check}`);
  }
}

interface GomatrixserverlibCase {
  readonly name: string;
  readonly room_version: SpecifiedRoomVersionId;
  readonly auth_events: {
    readonly create?: JsonObject;
    readonly join_rules?: JsonObject;
    readonly power_levels?: JsonObject;
    readonly member?: Readonly<Record<string, JsonObject>>;
    readonly third_party_invite?: Readonly<Record<string, JsonObject>>;
  };
  readonly event: JsonObject;
  readonly allowed: boolean;
}

describeShared('gomatrixserverlib: event authorisation', () => {
  const { cases } = loadFixture<{ cases: GomatrixserverlibCase[] }>('event-auth/gomatrixserverlib.json');
  for (const one of cases) {
    const disagreement = disagreements[one.name];
    const expected = one.allowed === (disagreement === undefined);
    it(`${one.name} ${expected ? 'allowed' : 'refused'}${disagreement ? ` (differs: ${disagreement})` : ''}`, () => {
      expect(runBothHalves(one)).toMatchObject({ ok: expected });
    });
  }
  it('has all its cases', () => expect(cases.length).toBe(72));
});

function runBothHalves(one: GomatrixserverlibCase): AuthResult {
  const rules = roomVersions[one.room_version];
  const {
    create,
    join_rules: joinRules,
    power_levels: powerLevels,
    member,
    third_party_invite: invites,
  } = one.auth_events;
  const events = [create, joinRules, powerLevels, ...Object.values(member ?? {}), ...Object.values(invites ?? {})]
    .filter((json) => json !== undefined)
    .map((json) => eventFromCase({ state_key: '', ...json }));
  const state = stateOf(events);
  // The source's events carry no signatures; the one of the authorising server is a matter of the rules.
  const signatures = { a: { 'ed25519:1': 'signature' } };
  const event = eventFromCase({ ...one.event, signatures });
  const cited = authTypesForEvent(event, rules)
    .map(([type, stateKey]) => state(type, stateKey))
    .filter((entry) => entry !== undefined)
    .map((entry) => ({ event: entry, rejected: false }));
  const independent = checkStateIndependentAuthRules(event, cited, rules);
  return independent.ok ? checkStateDependentAuthRules(event, state, rules) : independent;
}

interface SynapseCase {
  readonly name: string;
  readonly check: 'state_dependent' | 'state_independent';
  readonly room_version: SpecifiedRoomVersionId;
  readonly event_id: string;
  readonly event: JsonObject;
  readonly auth_events?: readonly { readonly event_id: string; readonly event: JsonObject }[];
  readonly known_events?: readonly {
    readonly event_id: string;
    readonly event: JsonObject;
    readonly rejected: boolean;
  }[];
  readonly allowed: boolean;
}

describeShared('synapse: event authorisation', () => {
  const { cases } = loadFixture<{ cases: SynapseCase[] }>('event-auth/synapse.json');
  for (const [index, one] of cases.entries()) {
    it(`${index} ${one.name} ${one.check} ${one.allowed ? 'allowed' : 'refused'}`, () => {
      const rules = roomVersions[one.room_version];
      const event = eventFromCase(one.event, one.event_id);
      const state = (one.auth_events ?? []).map((entry) => eventFromCase(entry.event, entry.event_id));
      const known = (one.known_events ?? []).map(({ event: json, event_id: id, rejected }) => {
        return { event: eventFromCase(json, id), rejected };
      });
      const cited = event.authEvents.flatMap((id) => known.filter((entry) => entry.event.eventId === id));
      const result =
        one.check === 'state_dependent'
          ? checkStateDependentAuthRules(event, stateOf(state), rules)
          : checkStateIndependentAuthRules(event, cited, rules);
      expect(result).toMatchObject({ ok: one.allowed });
    });
  }
  it('has all its cases', () => expect(cases.length).toBe(47));
});

describeShared('mautrix: a whole room of version 12', () => {
  const { cases } = loadFixture<{ cases: JsonObject[] }>('event-auth/mautrix-v12-room.json');
  it('allows every event', () => {
    const rules = roomVersions['12'];
    const events = new Map<string, RoomEvent>();
    const state: RoomEvent[] = [];
    for (const json of cases) {
      const event = eventFromCase(json, (json['unsigned'] as JsonObject)['event_id']);
      const cited = event.authEvents.map((id) => ({ event: events.get(id) as RoomEvent, rejected: false }));
      const create = state[0] && { event: state[0], rejected: false };
      const selection = authTypesForEvent(event, rules)
        .map(([type, stateKey]) => stateOf(state)(type, stateKey)?.eventId)
        .filter((id) => id !== undefined);
      expect(new Set(event.authEvents)).toEqual(new Set(selection));
      expect(checkStateIndependentAuthRules(event, cited, rules, create)).toEqual({ ok: true });
      expect(checkStateDependentAuthRules(event, stateOf(state), rules)).toEqual({ ok: true });
      events.set(event.eventId, event);
      if (event.stateKey !== undefined) state.push(event);
    }
    expect(events.size).toBe(21);
  });
});

describeShared('gomatrixserverlib: parts of the rules', () => {
  interface UserLevelsCase {
    readonly name: string;
    readonly sender: string;
    readonly sender_level: number;
    readonly old_users: JsonObject;
    readonly new_users: JsonObject;
    readonly allowed: boolean;
  }
  for (const one of loadFixture<{ cases: UserLevelsCase[] }>('event-auth/user-levels.json').cases) {
    it(`user levels: ${one.name}`, () => {
      const current = { content: { users: one.old_users } };
      const change = {
        content: { users: one.new_users },
        current,
        sender: one.sender,
        senderLevel: one.sender_level,
        creators: [],
      };
      for (const rules of Object.values(roomVersions)) {
        expect(authorisePowerLevelsContent(change, rules)).toMatchObject({ ok: one.allowed });
      }
    });
  }

  interface UserPowerLevelCase {
    readonly create: JsonObject;
    readonly power_levels: JsonObject;
    readonly user: string;
    readonly level: number | 'infinite';
  }
  for (const one of loadFixture<{ cases: UserPowerLevelCase[] }>('event-auth/user-power-level-v12.json').cases) {
    it(`version 12: the level of ${one.user} is ${one.level}`, () => {
      const create = eventFromCase(one.create);
      const level = powerLevelOf(one.user, create, { content: one.power_levels }, roomVersions['12']);
      expect(level).toBe(one.level === 'infinite' ? Infinity : one.level);
      expect(creatorsOf(create, roomVersions['12'])).toEqual(['@alice:example.com', '@bob:example.com']);
    });
  }

  const needs = loadFixture<{ cases: { event: JsonObject; needs: StateTuple[] }[] }>(
    'event-auth/state-needed.json',
  ).cases;
  for (const [index, one] of needs.entries()) {
    it(`auth events selection ${index}`, () => {
      const event = eventFromCase(one.event);
      expect(new Set(authTypesForEvent(event, roomVersions['10']))).toEqual(new Set(one.needs));
      const withoutCreate = one.needs.filter(([type]) => type !== 'm.room.create');
      expect(new Set(authTypesForEvent(event, roomVersions['12']))).toEqual(new Set(withoutCreate));
      expect(new Set(stateForAuthRules(event, roomVersions['12']))).toEqual(new Set(one.needs));
    });
  }
});

describeShared('mautrix and ruma: values that stand for power levels', () => {
  const roundedTo2To63 = 'integers beyond ±2^53 are rounded to doubles; the specification does not allow them';
  const notForBooleans = 'the specification speaks of strings and floats only';
  const differing: Readonly<Record<string, readonly [outcome: number | undefined, reason: string]>> = {
    True: [undefined, notForBooleans],
    False: [undefined, notForBooleans],
    Int64: [2 ** 63, roundedTo2To63],
    Int64String: [2 ** 63, roundedTo2To63],
  };
  const { cases } = loadFixture<{ cases: { name: string; json: string; value: string | null }[] }>(
    'event-auth/integer-like-values.json',
  );
  for (const one of cases) {
    const [outcome, reason] = differing[one.name] ?? [one.value === null ? undefined : Number(one.value), undefined];
    it(`${one.name}: ${one.json} is ${outcome}${reason ? ` (differs: ${reason})` : ''}`, () => {
      for (const numbers of ['any', 'exact'] as const) {
        expect(powerLevelValue(parseJson(one.json, { numbers }), roomVersions['5'])).toBe(outcome);
      }
      if (!one.json.startsWith('"')) return;
      expect(powerLevelValue(parseJson(one.json), roomVersions['9'])).toBe(outcome);
      expect(powerLevelValue(parseJson(one.json), roomVersions['10'])).toBeUndefined();
    });
  }
});

describeShared('tuwunel: soft failure', () => {
  const file = loadFixture<{
    room_version: SpecifiedRoomVersionId;
    events: JsonObject[];
    cases: { name: string; event: string; state: string[]; allowed: boolean }[];
  }>('event-auth/tuwunel-soft-fail.json');
  for (const one of file.cases) {
    it(`${one.name}: ${one.allowed ? 'allowed' : 'refused'}`, () => {
      const events = new Map(file.events.map((json) => [json['event_id'], eventFromCase(json)]));
      const state = one.state.map((id) => events.get(id) as RoomEvent);
      const result = checkStateDependentAuthRules(
        events.get(one.event) as RoomEvent,
        stateOf(state),
        roomVersions[file.room_version],
      );
      expect(result).toEqual(
        one.allowed ? { ok: true } : { ok: false, rule: '4.5.1', reason: expect.any(String) as string },
      );
    });
  }
});

describe('power level values', () => {
  it('are never infinite, as only creators are', () => {
    for (const value of ['9'.repeat(400), `-${'9'.repeat(400)}`, NaN, Infinity, -Infinity]) {
      for (const rules of Object.values(roomVersions)) expect(powerLevelValue(value, rules)).toBeUndefined();
    }
  });
});
