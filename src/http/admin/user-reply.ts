import type { AdministeredAccount } from '../../accounts/administration.ts';
import type { JsonObject } from '../../matrix/json/json-value.ts';

/** An account in Synapse's shape. Times are milliseconds, but for creation_ts. What this server does not keep is null. */
export function userReply(account: AdministeredAccount): JsonObject {
  return {
    name: account.userId,
    displayname: account.displayName ?? null,
    avatar_url: account.avatarUrl ?? null,
    threepids: account.threepids.map(({ medium, address, added_ts: addedTs, validated_ts: validatedTs }) => ({
      medium,
      address,
      added_at: addedTs,
      validated_at: validatedTs,
    })),
    external_ids: [],
    is_guest: account.kind === 'guest',
    admin: account.isAdmin,
    deactivated: account.isDeactivated,
    erased: account.isErased,
    shadow_banned: account.isShadowBanned,
    locked: account.isLocked,
    suspended: account.isSuspended,
    creation_ts: Math.floor(account.createdTs / 1000),
    last_seen_ts: account.lastSeenTs ?? null,
    user_type: account.userType ?? null,
    appservice_id: null,
    consent_server_notice_sent: null,
    consent_version: null,
    consent_ts: null,
  };
}
