/**
 * Push rules as clients see them: wire objects with the wire's names.
 * https://spec.matrix.org/v1.19/client-server-api/#push-rules
 */
import type { JsonObject } from '../json/json-value.ts';

/** In the order in which they are checked. `postcontent`: MSC4306. */
export const pushRuleKinds = ['override', 'content', 'postcontent', 'room', 'sender', 'underride'] as const;
export type PushRuleKind = (typeof pushRuleKinds)[number];

export type PushAction = string | (JsonObject & { readonly set_tweak: string });
/** Kinds that nobody knows are kept; they match no event. */
export type PushCondition = JsonObject & { readonly kind: string };

export type PushRule = {
  readonly rule_id: string;
  /** Whether the server made the rule. */
  readonly default: boolean;
  readonly enabled: boolean;
  readonly actions: readonly PushAction[];
  /** Of override, postcontent and underride rules. */
  readonly conditions?: readonly PushCondition[];
  /** Of content rules. */
  readonly pattern?: string;
};

/** The most important rule of each kind comes first. */
export type PushRuleset = { readonly [Kind in PushRuleKind]: readonly PushRule[] };

export function isPushRuleKind(text: string): text is PushRuleKind {
  return pushRuleKinds.some((kind) => kind === text);
}
