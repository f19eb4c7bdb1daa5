/** What federation needs of parts that it must not import. The composition root hands the implementations over. */
import type { UserId } from '../matrix/ids/ids.ts';

/** Accounts of this server; `accounts` implements it. */
export interface LocalUsers {
  /** Whether there is such an account, and it is not deactivated. */
  isActive(userId: UserId): Promise<boolean>;
}
