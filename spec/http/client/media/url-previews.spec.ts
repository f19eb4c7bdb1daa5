import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { picture } from '../../../media/support/pictures.ts';
import { type LoopbackServer, startLoopbackServer } from '../../../support/loopback-server.ts';
import { MediaClient, mediaListeners } from '../../../support/media-requests.ts';
import { refusal } from '../../../support/test-accounts.ts';
import { requestJson } from '../../../support/test-server.ts';

const paths = [
  '/_matrix/client/v1/media/preview_url',
  '/_matrix/media/v3/preview_url',
  '/_matrix/media/r0/preview_url',
];

describe('previews of URLs over HTTP', () => {
  let site: Server;
  let siteUrl = '';
  const running: LoopbackServer[] = [];
  const png = picture({ width: 279, height: 129 }).png().toBuffer();
  const languages: (string | undefined)[] = [];

  beforeAll(async () => {
    site = createServer((request, response) => {
      languages.push(request.headers['accept-language']);
      if (request.url === '/test.png')
        void png.then((bytes) => response.writeHead(200, { 'Content-Type': 'image/png' }).end(bytes));
      else
        response
          .writeHead(200, { 'Content-Type': 'text/html' })
          .end('<meta property="og:title" content="Тест"><meta property="og:image" content="test.png">');
    });
    await new Promise<void>((resolve) => site.listen(0, '127.0.0.1', resolve));
    siteUrl = `http://127.0.0.1:${(site.address() as AddressInfo).port}`;
  });
  afterAll(async () => {
    await Promise.all(running.map((server) => server.close()));
    site.closeAllConnections();
    await new Promise((resolve) => site.close(resolve));
  });

  async function start(config: Readonly<Record<string, string>> = {}) {
    const outgoing = '{ allow_private_addresses: [127.0.0.1] }';
    const server = await startLoopbackServer({ config: { ...mediaListeners, outgoing, ...config } });
    running.push(server);
    const alice = await MediaClient.register(server, 'alice');
    const preview = (query: Record<string, string>, path = paths[0] ?? '', headers: Record<string, string> = {}) =>
      requestJson(server.url, 'GET', path, { token: alice.token, query, headers });
    return { server, alice, preview };
  }

  it('are given at all paths, with an image that can be downloaded and made small', async () => {
    const { alice, preview } = await start();
    for (const path of paths) {
      const { status, json } = await preview({ url: `${siteUrl}/test.html` }, path, { 'Accept-Language': 'uk' });
      expect(status).toBe(200);
      expect(json).toEqual({
        'og:title': 'Тест',
        'og:image': expect.stringMatching(/^mxc:\/\/localhost\/[A-Za-z0-9_-]+$/) as string,
        'og:image:type': 'image/png',
        'og:image:width': 279,
        'og:image:height': 129,
        'matrix:image:size': (await png).length,
      });
      const uri = String(json['og:image']);
      expect((await alice.download(uri)).bytes.equals(await png)).toBe(true);
      const thumbnail = await alice.request(
        'GET',
        `/_matrix/client/v1/media/thumbnail/${uri.slice(6)}?width=96&height=96&method=crop`,
      );
      expect(thumbnail.status).toBe(200);
    }
    expect(languages).toEqual(['uk', 'uk']);
  });

  it('are refused without a token, without a URL, and where they may not be', async () => {
    const { server, preview } = await start({ outgoing: '{}', url_previews: '{ blocked: [blocked.example] }' });
    for (const path of paths) {
      const nobody = await requestJson(server.url, 'GET', path, { query: { url: siteUrl } });
      expect(refusal(nobody)).toEqual([401, 'M_MISSING_TOKEN']);
      expect(refusal(await preview({}, path))).toEqual([400, 'M_MISSING_PARAM']);
      expect(refusal(await preview({ url: 'ftp://example.org/' }, path))).toEqual([400, 'M_INVALID_PARAM']);
      expect(refusal(await preview({ url: siteUrl, ts: 'yesterday' }, path))).toEqual([400, 'M_INVALID_PARAM']);
      expect(refusal(await preview({ url: siteUrl }, path))).toEqual([403, 'M_FORBIDDEN']);
      expect(refusal(await preview({ url: 'https://blocked.example/' }, path))).toEqual([403, 'M_FORBIDDEN']);
    }
  });

  it('can be switched off, which clients are told', async () => {
    const { server, alice, preview } = await start({ url_previews: '{ enabled: false }' });
    expect(refusal(await preview({ url: siteUrl }))).toEqual([403, 'M_FORBIDDEN']);
    const { json } = await requestJson(server.url, 'GET', '/_matrix/client/v3/capabilities', { token: alice.token });
    expect(json).toMatchObject({ capabilities: { 'io.element.msc4452.preview_url': { enabled: false } } });
  });

  it('are counted for each user', async () => {
    const { preview } = await start({ rate_limits: '{ preview: { per_second: 0.001, burst: 2 } }' });
    for (let turn = 0; turn < 2; turn++) expect((await preview({ url: siteUrl })).status).toBe(200);
    expect(refusal(await preview({ url: siteUrl }))).toEqual([429, 'M_LIMIT_EXCEEDED']);
  });
});
