/** What rooms need from others and must not import. The composition root hands the implementations over. */
import type { UserId } from '../matrix/ids/ids.ts';
import type { JsonObject } from '../matrix/json/json-value.ts';

/** Local users as rooms see them; `accounts` implements it. */
export interface Members {
  /** displayname and avatar_url as they stand in a membership event; {} where there is no profile. */
  memberProfile(userId: UserId): Promise<JsonObject>;
}
