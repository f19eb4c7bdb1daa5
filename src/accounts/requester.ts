/** Who asks: what an access token stands for. Made by `accounts/access-tokens.ts`, handed to handlers by `http/auth`. */
import type { UserId } from '../matrix/ids/ids.ts';

export interface Requester {
  readonly userId: UserId;
  readonly userNid: number;
  readonly deviceId: string;
  /** Unique for ever; the scope of transaction ids. */
  readonly deviceNid: number;
  readonly isAdmin: boolean;
  readonly isGuest: boolean;
  /** May read, leave, redact own events and log out; what else is refused with M_USER_SUSPENDED, see accounts/suspension.ts. */
  readonly isSuspended: boolean;
  /** SHA-256 of the access token, to log out exactly this session. */
  readonly tokenHash: Buffer;
}
