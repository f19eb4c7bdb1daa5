/** What the page of sdk-in-chromium.spec.ts runs: bundled for it, and called by it. */
import { type Talk, talk } from '../../journeys/support/talk.ts';

/** The page is given these by the test. */
declare const killServer: () => Promise<void>;
declare const startServer: () => Promise<void>;
declare const location: { readonly origin: string };

export interface PageTalk {
  readonly origin: string;
  readonly talk: Talk;
  /** The answer to an unknown path, which a page may read. */
  readonly unknownPath: unknown;
  /** Whether the page may read what is not for pages of other origins. */
  readonly readsHealth: boolean;
}

async function talkInPage(baseUrl: string): Promise<PageTalk> {
  const unknown = await fetch(`${baseUrl}/_matrix/client/v3/nothing`, { headers: { authorization: 'Bearer none' } });
  return {
    origin: location.origin,
    unknownPath: await unknown.json(),
    readsHealth: await fetch(`${baseUrl}/health`).then(
      () => true,
      () => false,
    ),
    talk: await talk({ baseUrl, killServer, startServer }),
  };
}
Object.assign(globalThis, { talkInPage });
