/**
 * The journey of spec/journeys inside a browser, from a page of another origin: the browser itself holds the server to the
 * rules for such pages. Needs Debian's Chromium.
 */
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { expectTalk } from '../journeys/support/expect-talk.ts';
import { ServerProcess } from '../support/server-process.ts';
import { type BrowserPage, openPage } from './support/chromium.ts';
import type { PageTalk } from './support/talk-in-page.ts';

let browser: BrowserPage | undefined;
let server: ServerProcess | undefined;
beforeAll(async () => {
  browser = await openPage(join(import.meta.dirname, 'support/talk-in-page.ts'));
  server = await ServerProcess.start();
});
afterAll(async () => {
  await browser?.close();
  await server?.close();
});

it('lets two people talk with matrix-js-sdk in a page of another origin', async () => {
  if (browser === undefined || server === undefined) throw new Error('the browser or the server was not started');
  const { page, origin, complaints } = browser;
  const { url } = server;
  await page.exposeFunction('killServer', async () => void (await server?.kill()));
  await page.exposeFunction('startServer', () => server?.start());
  const said: PageTalk = await page.evaluate(`talkInPage(${JSON.stringify(url)})`);
  console.log(await page.evaluate('navigator.userAgent'), `page ${origin}, server ${url}`);

  expect(said.origin).toBe(origin);
  expect(origin).not.toBe(url);
  expect(said.unknownPath).toMatchObject({ errcode: 'M_UNRECOGNIZED' });
  // The browser does keep pages from reading what is not theirs, so all else was read because the server lets them.
  expect(said.readsHealth).toBe(false);
  const preflights = /operation="preflight"[^\n]*\s(\d+)$/m.exec(await (await fetch(`${url}/metrics`)).text());
  expect(Number(preflights?.[1])).toBeGreaterThan(0);
  expect(complaints.filter((text) => text.includes('CORS') && !text.includes('/health'))).toEqual([]);
  expectTalk(said.talk);
});
