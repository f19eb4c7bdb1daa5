/** What decides which of two uploads of one session's key a backup keeps. */
export interface KeyQuality {
  readonly isVerified: boolean;
  readonly firstMessageIndex: number;
  readonly forwardedCount: number;
}

/**
 * Whether the key takes the place of the one that is there.
 * https://spec.matrix.org/v1.19/client-server-api/#server-side-key-backups
 */
export function isBetterKey(key: KeyQuality, present: KeyQuality): boolean {
  if (key.isVerified !== present.isVerified) return key.isVerified;
  if (key.firstMessageIndex !== present.firstMessageIndex) return key.firstMessageIndex < present.firstMessageIndex;
  return key.forwardedCount < present.forwardedCount;
}
