import {
  compileCondition,
  compileContentPattern,
  compileExactProperty,
  type CompiledCondition,
  type Condition,
} from './compile-condition.ts';
import { legacyMentionRuleIds } from './default-push-rules.ts';
import type { PushRecipient, PushRoom } from './push-context.ts';
import type { PushEvent } from './push-event.ts';
import { noPush, outcomeOf, type PushOutcome } from './push-outcome.ts';
import { pushRuleKinds, type PushRule, type PushRuleKind, type PushRuleset } from './push-rule.ts';

/**
 * A ruleset ready to be evaluated again and again. One that was made from `defaultPushRules(anyone)` serves every user who
 * has changed the same rules in the same way, because nobody's name is in it.
 */
export interface CompiledPushRules {
  /** Whether `evaluate` has to be told which threads the recipient follows. */
  readonly readsThread: boolean;
  /**
   * What the event means for one user. Nobody is notified of their own events: that the recipient is not the sender is the
   * caller's to see to.
   */
  evaluate(event: PushEvent, room: PushRoom, recipient: PushRecipient): PushOutcome;
  /** What the event means for all users of this ruleset together, and for whom it may mean something else. */
  evaluateForAnyone(event: PushEvent, room: PushRoom): SharedOutcome;
}

export interface SharedOutcome {
  /** For everybody but those below. */
  readonly outcome: PushOutcome;
  /** Ids, as the event gives them, for which `evaluate` must be asked: they need not be users of this server or of the room. */
  readonly namedUserIds: readonly string[];
  /**
   * Whether the body may hold somebody's name: `evaluate` must be asked for members whose display name or localpart is in
   * it. Never for events with m.mentions, unless a user made a rule of that kind.
   */
  readonly bodyDecides: boolean;
  /** Whether `evaluate` must be asked for everybody if the event is in a thread. */
  readonly threadDecides: boolean;
}

/** https://spec.matrix.org/v1.19/client-server-api/#push-rules */
export function compilePushRules(ruleset: PushRuleset): CompiledPushRules {
  const compiled = pushRuleKinds.flatMap((kind) =>
    ruleset[kind].filter(({ enabled }) => enabled).map((rule) => compileRule(kind, rule)),
  );
  const rules = new RulesByPlace(compiled);
  return {
    readsThread: compiled.some(({ personal }) => personal.some(({ readsThread }) => readsThread === true)),
    evaluate(event, room, recipient) {
      const matching = rules.find(
        event,
        (rule) =>
          holdsForAnyone(rule, event, room) && rule.personal.every(({ holds }) => holds(event, room, recipient)),
      );
      return matching?.outcome ?? noPush;
    },
    evaluateForAnyone: (event, room) => evaluateForAnyone(rules, event, room),
  };
}

interface CompiledRule {
  readonly outcome: PushOutcome;
  readonly roomId: string | undefined;
  readonly type: string | undefined;
  readonly shared: readonly Condition[];
  /** Conditions on the recipient. */
  readonly personal: readonly CompiledCondition[];
}

function compileRule(kind: PushRuleKind, rule: PushRule): CompiledRule {
  const conditions = conditionsOf(kind, rule);
  const isPersonal = (condition: CompiledCondition): boolean =>
    condition.namedBy !== undefined || condition.readsBody === true || condition.readsThread === true;
  const shared = conditions.filter((condition) => !isPersonal(condition)).map(({ holds }) => holds);
  if (rule.default && legacyMentionRuleIds.has(rule.rule_id)) shared.unshift((event) => !event.hasMentions);
  return {
    outcome: outcomeOf(rule.rule_id, rule.actions),
    roomId: conditions.find(({ roomId }) => roomId !== undefined)?.roomId,
    type: conditions.find(({ type }) => type !== undefined)?.type,
    shared,
    personal: conditions.filter(isPersonal),
  };
}

function conditionsOf(kind: PushRuleKind, rule: PushRule): readonly CompiledCondition[] {
  switch (kind) {
    case 'override':
    case 'postcontent':
    case 'underride':
      return (rule.conditions ?? []).map(compileCondition);
    case 'content':
      return [compileContentPattern(rule.pattern ?? '')];
    case 'room':
      return [compileExactProperty('room_id', rule.rule_id)];
    case 'sender':
      return [compileExactProperty('sender', rule.rule_id)];
  }
}

function holdsForAnyone(rule: CompiledRule, event: PushEvent, room: PushRoom): boolean {
  return rule.shared.every((holds) => holds(event, room, undefined));
}

/** Rules behind the first that holds for everybody change nothing, so nobody is named on their account. */
function evaluateForAnyone(rules: RulesByPlace, event: PushEvent, room: PushRoom): SharedOutcome {
  const named = new Set<string>();
  let [bodyDecides, threadDecides] = [false, false];
  const matching = rules.find(event, (rule) => {
    if (!holdsForAnyone(rule, event, room)) return false;
    if (rule.personal.length === 0) return true;
    if (rule.personal.some(({ readsThread }) => readsThread === true)) {
      threadDecides = true;
      return false;
    }
    const lists = rule.personal.flatMap(({ namedBy }) => (namedBy === undefined ? [] : [namedBy(event)]));
    if (lists.length === 0) bodyDecides ||= event.body !== undefined;
    else for (const id of lists[0]!) if (lists.every((list) => list.includes(id))) named.add(id);
    return false;
  });
  return { outcome: matching?.outcome ?? noPush, namedUserIds: [...named], bodyDecides, threadDecides };
}

/**
 * Rules in their order, those that concern a single room or type of event apart from the others: people mute hundreds of rooms,
 * and most rules are about a type that an event has not.
 */
class RulesByPlace {
  readonly #rules: readonly CompiledRule[];
  /** Those that are about no single room. */
  readonly #everywhere: readonly number[];
  /** Of these, those about any type. */
  readonly #ofAnyType: readonly number[];
  readonly #types: ReadonlySet<string>;
  /** By type, of those that were asked for. */
  readonly #ofType = new Map<string, readonly number[]>();
  readonly #inRoom = new Map<string, number[]>();

  constructor(rules: readonly CompiledRule[]) {
    this.#rules = rules;
    const everywhere: number[] = [];
    for (const [index, { roomId }] of rules.entries()) {
      const list = roomId === undefined ? everywhere : (this.#inRoom.get(roomId) ?? []);
      list.push(index);
      if (roomId !== undefined) this.#inRoom.set(roomId, list);
    }
    this.#everywhere = everywhere;
    this.#ofAnyType = this.#about(undefined);
    this.#types = new Set(everywhere.map((index) => rules[index]!.type).filter((type) => type !== undefined));
  }

  /** The first rule that `accepts`, among those that can concern the event. */
  find(event: PushEvent, accepts: (rule: CompiledRule) => boolean): CompiledRule | undefined {
    const everywhere = this.#generalFor(event.lowered('type', typePath));
    const inRoom = (event.roomId === undefined ? undefined : this.#inRoom.get(event.roomId)) ?? [];
    for (let i = 0, j = 0; i < everywhere.length || j < inRoom.length;) {
      const [general = Infinity, special = Infinity] = [everywhere[i], inRoom[j]];
      const rule = this.#rules[Math.min(general, special)]!;
      if (accepts(rule)) return rule;
      if (general < special) i++;
      else j++;
    }
    return undefined;
  }

  #generalFor(type: string | undefined): readonly number[] {
    if (type === undefined || !this.#types.has(type)) return this.#ofAnyType;
    const known = this.#ofType.get(type);
    if (known !== undefined) return known;
    const rules = this.#about(type);
    if (this.#ofType.size < typesKeptMax) this.#ofType.set(type, rules);
    return rules;
  }

  #about(type: string | undefined): readonly number[] {
    return this.#everywhere.filter((index) => {
      const only = this.#rules[index]!.type;
      return only === undefined || only === type;
    });
  }
}

/** More than the default rules name. */
const typesKeptMax = 32;
const typePath = ['type'];
