/** What changes of keys tell those who follow the stream, beside the `device-list` of accounts/wake-kinds.ts. */

declare module '../storage/database.ts' {
  interface WakeKinds {
    /** A user signed keys of others, which nobody else sees. */
    'user-signatures': { readonly userNid: number; readonly signed: readonly number[]; readonly pos: number };
    /** One-time keys of devices came or went, or fallback keys were given out. */
    'one-time-keys': { readonly deviceNids: readonly number[] };
    /** Somebody claimed a key of a device, which has fewer now, or had none left but its fallback key. */
    'key-claimed': { readonly userNid: number; readonly deviceNid: number; readonly pos: number };
  }
}
