import type { JsonObject, JsonValue } from '../json/json-value.ts';
import type { PushAction } from './push-rule.ts';

/** What an event means for one user. */
export interface PushOutcome {
  /** The rule that matched. */
  readonly ruleId: string | undefined;
  readonly notify: boolean;
  /** Whether the event counts as a highlight; false where nobody is notified. */
  readonly highlight: boolean;
  /** The rule's actions without those that mean nothing any more. */
  readonly actions: readonly PushAction[];
  /** For the push gateway. https://spec.matrix.org/v1.19/client-server-api/#actions */
  readonly tweaks: JsonObject;
}

/** No rule matched. */
export const noPush: PushOutcome = { ruleId: undefined, notify: false, highlight: false, actions: [], tweaks: {} };

/** `dont_notify` and `coalesce` are ignored. https://spec.matrix.org/v1.19/client-server-api/#historical-actions */
export function outcomeOf(ruleId: string, actions: readonly PushAction[]): PushOutcome {
  const current = actions.filter((action) => !isHistoricalAction(action));
  const notify = current.includes('notify');
  const tweaks = tweaksOf(current);
  return { ruleId, notify, highlight: notify && tweaks['highlight'] === true, actions: current, tweaks };
}

/** The dictionary of tweaks. A tweak without a value is a highlight of `true`; others without a value say nothing. */
export function tweaksOf(actions: readonly PushAction[]): JsonObject {
  // No prototype: a tweak named __proto__ is a tweak like any other.
  const tweaks: Record<string, JsonValue> = Object.create(null) as Record<string, JsonValue>;
  for (const action of actions) {
    if (typeof action === 'string') continue;
    const { set_tweak: name, value } = action;
    if (value !== undefined) tweaks[name] = value;
    else if (name === 'highlight') tweaks[name] = true;
  }
  return tweaks;
}

export function isHistoricalAction(action: PushAction): boolean {
  return action === 'dont_notify' || action === 'coalesce';
}
