/** What those are told who wait for files. */

declare module '../storage/database.ts' {
  interface WakeKinds {
    /** The content of what was created earlier has come. */
    'media-uploaded': { readonly origin: string; readonly mediaId: string };
  }
}
