/** Push rules that come from clients. */
import { badJson, invalidParam, missingParam, MatrixError } from '../errors.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../json/json-value.ts';
import { pushRuleLimits } from './limits.ts';
import { isHistoricalAction } from './push-outcome.ts';
import type { PushAction, PushCondition, PushRule, PushRuleKind } from './push-rule.ts';

export type NewPushRule = Pick<PushRule, 'actions' | 'conditions' | 'pattern'>;

/**
 * The body of `PUT /pushrules/global/{kind}/{ruleId}`. Keys that do not belong to the kind are left out. Conditions of kinds
 * that nobody knows are kept and match nothing. Throws 400 M_MISSING_PARAM, M_BAD_JSON for a wrong type, M_INVALID_PARAM
 * for an action that nobody knows or a limit exceeded.
 * https://spec.matrix.org/v1.19/client-server-api/#put_matrixclientv3pushrulesglobalkindruleid
 */
export function decodePushRule(kind: PushRuleKind, body: JsonObject): NewPushRule {
  if (kind === 'postcontent') throw invalidParam("Rules of the kind postcontent are the server's own");
  const actions = decodePushActions(body['actions']);
  const rule: NewPushRule = { actions, ...conditionsOrPattern(kind, body) };
  if (Buffer.byteLength(JSON.stringify(rule)) > pushRuleLimits.ruleBytesMax)
    throw new MatrixError(413, 'M_TOO_LARGE', `A push rule must be at most ${pushRuleLimits.ruleBytesMax} bytes long`);
  return rule;
}

/** The `actions` of a request. Historical ones are kept as they came: they are ignored when the rule is evaluated. */
export function decodePushActions(value: JsonValue | undefined): readonly PushAction[] {
  if (value === undefined) throw missingParam('actions is missing');
  if (!Array.isArray(value)) throw badJson('actions must be an array');
  if (value.length > pushRuleLimits.actionsMax)
    throw invalidParam(`There can be at most ${pushRuleLimits.actionsMax} actions`);
  return value.map((action: JsonValue, index) => decodeAction(action, `actions[${index}]`));
}

function decodeAction(action: JsonValue, at: string): PushAction {
  if (typeof action === 'string') {
    if (action === 'notify' || isHistoricalAction(action)) return action;
    throw invalidParam(`${at} is no action that this server knows`);
  }
  if (isJsonObject(action) && typeof action['set_tweak'] === 'string')
    return { ...action, set_tweak: action['set_tweak'] };
  throw badJson(`${at} must be an action: a string, or an object with set_tweak`);
}

function conditionsOrPattern(kind: PushRuleKind, body: JsonObject): Pick<PushRule, 'conditions' | 'pattern'> {
  switch (kind) {
    case 'override':
    case 'postcontent':
    case 'underride':
      return { conditions: decodeConditions(body['conditions']) };
    case 'content':
      return { pattern: decodePattern(body['pattern'], 'pattern') };
    case 'room':
    case 'sender':
      return {};
  }
}

function decodeConditions(value: JsonValue | undefined): readonly PushCondition[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) throw badJson('conditions must be an array');
  if (value.length > pushRuleLimits.conditionsMax)
    throw invalidParam(`There can be at most ${pushRuleLimits.conditionsMax} conditions`);
  return value.map((condition: JsonValue, index) => decodeCondition(condition, `conditions[${index}]`));
}

function decodeCondition(condition: JsonValue, at: string): PushCondition {
  if (!isJsonObject(condition)) throw badJson(`${at} must be an object`);
  const { kind, pattern } = condition;
  if (kind === undefined) throw missingParam(`${at}.kind is missing`);
  if (typeof kind !== 'string') throw badJson(`${at}.kind must be a string`);
  for (const name of Object.hasOwn(textsOfKind, kind) ? textsOfKind[kind]! : []) checkText(condition, name, at);
  if (kind === 'event_match') decodePattern(pattern, `${at}.pattern`);
  if (kind === 'event_property_is' || kind === 'event_property_contains') checkScalar(condition, at);
  return { ...condition, kind };
}

/** The parameters that conditions of a kind need, and that are texts. */
const textsOfKind: Readonly<Record<string, readonly string[]>> = {
  event_match: ['key', 'pattern'],
  event_property_is: ['key'],
  event_property_contains: ['key'],
  room_member_count: ['is'],
  sender_notification_permission: ['key'],
};

function checkText(condition: JsonObject, name: string, at: string): void {
  const value = condition[name];
  if (value === undefined) throw missingParam(`${at}.${name} is missing`);
  if (typeof value !== 'string') throw badJson(`${at}.${name} must be a string`);
}

function checkScalar({ value }: JsonObject, at: string): void {
  if (value === undefined) throw missingParam(`${at}.value is missing`);
  if (typeof value === 'object' && value !== null)
    throw badJson(`${at}.value must be a string, integer, boolean or null`);
  if (typeof value === 'number' && !Number.isSafeInteger(value)) throw badJson(`${at}.value must be an integer`);
}

function decodePattern(value: JsonValue | undefined, at: string): string {
  if (value === undefined) throw missingParam(`${at} is missing`);
  if (typeof value !== 'string') throw badJson(`${at} must be a string`);
  if (Buffer.byteLength(value) > pushRuleLimits.patternBytesMax)
    throw invalidParam(`${at} must be at most ${pushRuleLimits.patternBytesMax} bytes long`);
  return value;
}
