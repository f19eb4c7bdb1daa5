/** Who may invite somebody, by the account data in which they say so. */
import { compileGlob } from '../glob/glob.ts';
import type { ServerName, UserId } from '../ids/ids.ts';
import { parseServerName } from '../ids/server-name.ts';
import type { JsonObject, JsonValue } from '../json/json-value.ts';

/** ignore: the invite is there, and the invited are not told of it. block: it is refused. */
export type InviteDecision = 'allow' | 'ignore' | 'block';

export interface InvitePermission {
  decide(inviter: UserId): InviteDecision;
}

export const everybodyMayInvite: InvitePermission = { decide: () => 'allow' };

/**
 * `blocking`: contents of m.invite_permission_config, https://spec.matrix.org/v1.19/client-server-api/#invite-permission
 * `filtering`: the lists of https://github.com/matrix-org/matrix-spec-proposals/pull/4155. What is neither list nor null
 * makes that content count for nothing. Keep the result: the lists are read once.
 */
export function compileInvitePermission(
  blocking: readonly JsonObject[],
  filtering: JsonObject | undefined,
): InvitePermission {
  if (blocking.some((content) => content['default_action'] === 'block')) return { decide: () => 'block' };
  const rules = filtering === undefined ? undefined : compileRules(filtering);
  if (rules === undefined || rules.length === 0) return everybodyMayInvite;
  return {
    decide: (inviter) => {
      const colon = inviter.indexOf(':');
      const name = inviter.slice(colon + 1) as ServerName;
      const texts = { users: inviter, servers: parseServerName(name)?.host ?? name };
      return rules.find(({ of, matches }) => matches(texts[of]))?.decision ?? 'allow';
    },
  };
}

interface Rule {
  readonly of: 'users' | 'servers';
  readonly decision: InviteDecision;
  matches(text: string): boolean;
}

/** In the order in which they are asked. */
const lists: readonly (readonly [string, Rule['of'], InviteDecision])[] = [
  ['allowed_users', 'users', 'allow'],
  ['ignored_users', 'users', 'ignore'],
  ['blocked_users', 'users', 'block'],
  ['allowed_servers', 'servers', 'allow'],
  ['ignored_servers', 'servers', 'ignore'],
  ['blocked_servers', 'servers', 'block'],
];

/** undefined: the content counts for nothing. */
function compileRules(content: JsonObject): readonly Rule[] | undefined {
  const { enabled = true } = content;
  if (enabled === false) return [];
  if (typeof enabled !== 'boolean') return undefined;
  const rules: Rule[] = [];
  for (const [name, of, decision] of lists) {
    const patterns = patternsIn(content[name]);
    if (patterns === undefined) return undefined;
    if (patterns.length === 0) continue;
    const globs = patterns.map((pattern) => compileGlob(pattern));
    rules.push({ of, decision, matches: (text) => globs.some((glob) => glob.matches(text)) });
  }
  return rules;
}

function patternsIn(value: JsonValue | undefined): readonly string[] | undefined {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) return undefined;
  const entries: readonly JsonValue[] = value;
  const patterns = entries.filter((entry) => typeof entry === 'string');
  return patterns.length === entries.length ? patterns : undefined;
}
