import type { ServerResponse } from 'node:http';
import { afterEach, expect, it } from 'vitest';
import type { UserId } from '../../../src/matrix/ids/ids.ts';
import { limits } from '../../../src/platform/limits.ts';
import { describeOnBothEngines } from '../../support/databases.ts';
import { startPreviews, type TestPreviews, type TestPreviewsOptions } from '../support/test-previews.ts';
import { picture } from '../support/pictures.ts';
import { type Answer, html, image, openSite, page, redirect, type Site } from '../support/site.ts';

const closing: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close();
});

async function startSite(pages: Readonly<Record<string, Answer>>): Promise<Site> {
  const site = await openSite(pages);
  closing.push(() => site.close());
  return site;
}

describeOnBothEngines('previews of URLs', (engine) => {
  const start = async (options: TestPreviewsOptions = {}): Promise<TestPreviews> => {
    const test = await startPreviews(await engine.open(), options);
    closing.push(() => test.close());
    return test;
  };
  const forbidden = [403, 'M_FORBIDDEN'];
  const unknown = [502, 'M_UNKNOWN'];

  it('have what the page says and its image, and say who asks', async () => {
    const png = await picture({ width: 279, height: 129 }).png().toBuffer();
    const head =
      '<meta property="og:title" content="The Rock"><meta property="og:image" content="pictures/rock.png?a=b">';
    const site = await startSite({ '/films/rock.html': html(page('x', head)), '/films/pictures/rock.png': image(png) });
    const { ask, stored } = await start();
    expect(await ask(site.url('/films/rock.html#part'), { language: 'fr-CH, fr;q=0.9' })).toEqual({
      'og:title': 'The Rock',
      'og:description': 'Words',
      'og:image': 'mxc://veche.test/image0',
      'og:image:type': 'image/png',
      'og:image:width': 279,
      'og:image:height': 129,
      'matrix:image:size': png.length,
    });
    expect(stored.get('image0')).toEqual({ bytes: png, contentType: 'image/png', fileName: 'rock.png' });
    expect(site.paths()).toEqual(['/films/rock.html', '/films/pictures/rock.png?a=b']);
    for (const { headers } of site.asked)
      expect(headers).toMatchObject({
        'user-agent': 'veche/1.2.3 (URL preview; veche.test)',
        'accept-language': 'fr-CH, fr;q=0.9',
        'accept-encoding': 'identity',
        host: `site.example:${site.port}`,
      });
  });

  it('of images are these images, and of other things empty', async () => {
    const jpeg = await picture().jpeg().withMetadata({ orientation: 6 }).toBuffer();
    const site = await startSite({
      '/a%20photo.jpg': image(jpeg, 'image/jpeg'),
      '/song.mp3': image(Buffer.alloc(100_000), 'audio/mpeg'),
      '/drawing.svg': image(Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"/>'), 'image/svg+xml'),
      '/lie.png': image(Buffer.from('<script>alert(1)</script>'), 'image/png'),
      '/packed.html': html('\x1f\x8b', { 'Content-Encoding': 'gzip' }),
    });
    const { ask, stored } = await start();
    expect(await ask(site.url('/a%20photo.jpg'))).toMatchObject({
      'og:title': 'a photo.jpg',
      'og:image:width': 200,
      'og:image:height': 300,
      'matrix:image:size': jpeg.length,
    });
    for (const path of ['/song.mp3', '/drawing.svg', '/lie.png', '/packed.html'])
      expect(await ask(site.url(path))).toEqual({});
    expect(stored.size).toBe(1);
  });

  it('take what is missing from oEmbed, and do without what cannot be had', async () => {
    const png = await picture().png().toBuffer();
    const link = '<link rel="alternate" type="application/json+oembed" href="/oembed?format=json">';
    const oEmbed = { version: '1.0', type: 'video', title: 'A film', provider_name: 'Films', thumbnail_url: '/t.png' };
    const site = await startSite({
      '/film': html(page('x', link)),
      '/oembed': (_request, response) =>
        response.writeHead(200, { 'Content-Type': 'application/json' }).end(JSON.stringify(oEmbed)),
      '/t.png': image(png),
      '/broken': html(
        page('Broken', link.replace('/oembed', '/none') + '<meta property="og:image" content="/none.png">'),
      ),
    });
    const { ask } = await start();
    expect(await ask(site.url('/film'))).toMatchObject({
      'og:title': 'A film',
      'og:site_name': 'Films',
      'og:type': 'video.other',
      'og:image:width': 300,
    });
    expect(await ask(site.url('/broken'))).toEqual({ 'og:title': 'Broken', 'og:description': 'Words' });
  });

  it('are of the place to which redirects lead, of which there may be some', async () => {
    const site = await startSite({
      '/old': redirect('/a/new#x', 301),
      '/a/new': redirect('deep'),
      '/a/deep': html(page('Deep', '<meta property="og:url" content="here">')),
      '/loop': redirect('/loop'),
      '/nowhere': (_request, response) => response.writeHead(302).end(),
      '/ftp': redirect('ftp://site.example/'),
      '/file': redirect('file:///etc/passwd'),
      '/password': redirect('http://user:secret@site.example/'),
    });
    const { ask, refusal } = await start();
    expect(await ask(site.url('/old'))).toMatchObject({ 'og:title': 'Deep', 'og:url': site.url('/a/here') });
    expect(await refusal(site.url('/loop'))).toEqual(unknown);
    expect(site.paths().filter((path) => path === '/loop')).toHaveLength(limits.previewRedirectsMax + 1);
    expect(await refusal(site.url('/nowhere'))).toEqual(unknown);
    for (const path of ['/ftp', '/file', '/password']) expect(await refusal(site.url(path)), path).toEqual(forbidden);
  });

  it('are not made of private addresses, by whatever trick', async () => {
    const site = await startSite({
      '/secret': html(page('Secret')),
      '/to-literal': (request, response) =>
        redirect(`http://127.0.0.2:${request.socket.localPort}/secret`)(request, response),
      '/to-name': (request, response) =>
        redirect(`http://inner.example:${request.socket.localPort}/secret`)(request, response),
      '/image': html(page('Page', '<meta property="og:image" content="http://127.0.0.2/secret.png">')),
      '/oembed': html(page('Page', '<link rel=alternate type=application/json+oembed href="http://[::1]/secret">')),
    });
    let turn = 0;
    const { ask, refusal } = await start({
      names: {
        'inner.example': ['127.0.0.2', '10.0.0.1', '::ffff:127.0.0.2'],
        'nat64.example': ['64:ff9b::7f00:2'],
        '6to4.example': ['2002:7f00:2::1'],
        // Public when it is checked first, private afterwards.
        'rebinding.example': () => [turn++ === 0 ? '127.0.0.1' : '127.0.0.2'],
      },
    });
    const hosts = [
      '127.0.0.2',
      '2130706434',
      '0x7f000002',
      '0177.0.0.2',
      '127.2',
      '0',
      '[::1]',
      '[::ffff:127.0.0.2]',
      '[::ffff:7f00:2]',
    ];
    const others = [
      '[64:ff9b::7f00:2]',
      '[2002:7f00:2::]',
      '[fd00::1]',
      '[fe80::1]',
      '169.254.169.254',
      '１２７.０.０.２',
      '%31%32%37.0.0.2',
    ];
    for (const host of [...hosts, ...others])
      expect(await refusal(`http://${host}:${site.port}/secret`), host).toEqual(forbidden);
    for (const host of ['inner.example', 'nat64.example', '6to4.example'])
      expect(await refusal(`http://${host}:${site.port}/secret`), host).toEqual(unknown);
    expect(await refusal(site.url('/to-literal'))).toEqual(forbidden);
    expect(await refusal(site.url('/to-name'))).toEqual(unknown);
    expect(await ask(site.url('/image'))).toEqual({ 'og:title': 'Page', 'og:description': 'Words' });
    expect(await ask(site.url('/oembed'))).toEqual({ 'og:title': 'Page', 'og:description': 'Words' });
    expect(site.paths()).not.toContain('/secret');
    // What was checked is what is connected to.
    expect(await ask(`http://rebinding.example:${site.port}/secret`)).toMatchObject({ 'og:title': 'Secret' });
    expect(turn).toBe(1);
    expect(await refusal(`http://rebinding.example:${site.port}/secret?again`)).toEqual(unknown);
  });

  it('are not made of what is no page on the web', async () => {
    const { refusal } = await start();
    for (const url of [
      'ftp://site.example/',
      'file:///etc/passwd',
      'javascript:1',
      'data:text/html,x',
      'no url',
      '',
      '//x',
      'http://',
    ])
      expect(await refusal(url), url).toEqual([400, 'M_INVALID_PARAM']);
    for (const url of ['http://user:secret@site.example/', 'http://site.example@127.0.0.1/'])
      expect(await refusal(url), url).toEqual([400, 'M_INVALID_PARAM']);
    for (const url of ['http://site.example:22/', 'https://site.example:25/'])
      expect(await refusal(url), url).toEqual(forbidden);
  });

  it('keep to the patterns, on every step of the way', async () => {
    const site = await startSite({
      '/open': html(page('Open')),
      '/way': redirect('/private/x'),
      '/private/x': html(page('Private')),
      '/image': html(page('Image', '<meta property="og:image" content="/private/x.png">')),
    });
    const { ask, refusal } = await start({ blocked: ['site.example:*/private/*', 'intranet.example'] });
    expect(await ask(site.url('/open'))).toMatchObject({ 'og:title': 'Open' });
    for (const url of [site.url('/private/x'), site.url('/way'), 'http://intranet.example/'])
      expect(await refusal(url)).toEqual(forbidden);
    expect(await ask(site.url('/image'))).toMatchObject({ 'og:title': 'Image' });
    expect(site.paths()).toEqual(['/open', '/way', '/image']);
  });

  it('can be switched off', async () => {
    const site = await startSite({ '/': html(page('x')) });
    const { refusal } = await start({ enabled: false });
    expect(await refusal(site.url('/'))).toEqual(forbidden);
    expect(site.asked).toEqual([]);
  });

  it('read only so much of a page, and of an image all or nothing', async () => {
    const huge = Buffer.alloc(limits.previewImageBytesMax + 1);
    (await picture().png().toBuffer()).copy(huge);
    const site = await startSite({
      '/endless': (_request, response) => {
        response.writeHead(200, { 'Content-Type': 'text/html' }).write(page('Endless').slice(0, -20));
        const more = (): void => {
          while (!response.destroyed && response.write('<p></p>'.repeat(10_000)));
          if (!response.destroyed) response.once('drain', more);
        };
        more();
      },
      '/huge.png': image(huge),
      '/page': html(page('Page', '<meta property="og:image" content="/huge.png">')),
    });
    const { ask, refusal } = await start();
    expect(await ask(site.url('/endless'))).toMatchObject({ 'og:title': 'Endless' });
    expect(await refusal(site.url('/huge.png'))).toEqual(unknown);
    expect(await ask(site.url('/page'))).toEqual({ 'og:title': 'Page', 'og:description': 'Words' });
  });

  it('are told why there is none', async () => {
    const site = await startSite({
      '/gone': (_request, response) => response.writeHead(410).end(),
      '/error': (_request, response) => response.writeHead(500).end(page('Error')),
      '/cut': (request) => request.socket.destroy(),
    });
    const { refusal } = await start();
    expect(await refusal(site.url('/none'))).toEqual([404, 'M_NOT_FOUND']);
    expect(await refusal(site.url('/gone'))).toEqual([404, 'M_NOT_FOUND']);
    expect(await refusal(site.url('/error'))).toEqual(unknown);
    expect(await refusal(site.url('/cut'))).toEqual(unknown);
  });

  it('are asked for once by many at once, and again when they are old', async () => {
    let title = 0;
    const site = await startSite({ '/': (request, response) => html(page(`Title ${++title}`))(request, response) });
    const { ask, ports } = await start();
    const many = await Promise.all(
      Array.from({ length: 20 }, (_, index) => ask(site.url('/'), { userId: `@user${index}:veche.test` as UserId })),
    );
    expect(new Set(many.map((preview) => preview['og:title']))).toEqual(new Set(['Title 1']));
    await ports.advance(limits.previewFreshMs - 1);
    expect(await ask(site.url('/'))).toMatchObject({ 'og:title': 'Title 1' });
    await ports.advance(1);
    expect(await ask(site.url('/'))).toMatchObject({ 'og:title': 'Title 2' });
    expect(title).toBe(2);
  });

  it('are kept longer where the page says so, and by language', async () => {
    let asked = 0;
    const site = await startSite({
      '/': (request, response) => {
        asked += 1;
        html(page(request.headers['accept-language'] ?? 'none'), { 'Cache-Control': 'public, max-age=7200' })(
          request,
          response,
        );
      },
    });
    const { ask, ports } = await start();
    expect(await ask(site.url('/'), { language: 'de' })).toMatchObject({ 'og:title': 'de' });
    expect(await ask(site.url('/'), { language: 'uk' })).toMatchObject({ 'og:title': 'uk' });
    expect(await ask(site.url('/'), { language: 'x'.repeat(500) })).toMatchObject({ 'og:title': 'none' });
    expect(await ask(site.url('/'), { language: '€' })).toMatchObject({ 'og:title': 'none' });
    await ports.advance(7_199_999);
    expect(await ask(site.url('/'), { language: 'de' })).toMatchObject({ 'og:title': 'de' });
    expect(asked).toBe(3);
  });

  it('are those of the preferred time where there is one, else newer', async () => {
    let title = 0;
    const site = await startSite({ '/': (request, response) => html(page(`Title ${++title}`))(request, response) });
    const { ask, ports } = await start();
    const firstTs = ports.clock.nowMs();
    await ask(site.url('/'));
    await ports.advance(limits.previewFreshMs);
    await ask(site.url('/'));
    const at = async (ts: number): Promise<unknown> => (await ask(site.url('/'), { ts }))['og:title'];
    expect(await at(firstTs)).toBe('Title 1');
    expect(await at(firstTs + limits.previewFreshMs - 1)).toBe('Title 1');
    expect(await at(firstTs + limits.previewFreshMs)).toBe('Title 2');
    expect(await at(firstTs - 1)).toBe('Title 2');
    expect(await at(ports.clock.nowMs() + 1_000_000)).toBe('Title 2');
  });

  it('that failed are not asked for again at once', async () => {
    let asked = 0;
    const site = await startSite({
      '/': (request, response) => {
        asked += 1;
        if (asked === 1) response.writeHead(500).end();
        else html(page('Better'))(request, response);
      },
    });
    const { ask, refusal, ports } = await start();
    expect(await refusal(site.url('/'))).toEqual(unknown);
    expect(await refusal(site.url('/'))).toEqual(unknown);
    await ports.advance(limits.previewFailureMs);
    expect(await ask(site.url('/'))).toMatchObject({ 'og:title': 'Better' });
  });

  it('are made few at once for one user, so that nobody keeps others waiting', async () => {
    const waiting: ServerResponse[] = [];
    const site = await startSite({
      '/slow': (_request, response) => void waiting.push(response),
      '/fast': html(page('Fast')),
    });
    const { ask } = await start();
    const slow = Array.from({ length: 20 }, (_, index) => ask(site.url(`/slow?${index}`)));
    await expect.poll(() => waiting.length).toBe(limits.previewsAtOncePerUserMax);
    expect(await ask(site.url('/fast'), { userId: '@bob:veche.test' as UserId })).toMatchObject({ 'og:title': 'Fast' });
    expect(waiting).toHaveLength(limits.previewsAtOncePerUserMax);
    let answered = 0;
    while (answered < 20) {
      await expect.poll(() => waiting.length).toBeGreaterThan(answered);
      for (const response of waiting.slice(answered)) {
        answered += 1;
        response.writeHead(200, { 'Content-Type': 'text/html' }).end(page('Slow'));
      }
    }
    for (const preview of await Promise.all(slow)) expect(preview).toMatchObject({ 'og:title': 'Slow' });
  });

  it('are forgotten with their images after a while', async () => {
    const png = await picture().png().toBuffer();
    const site = await startSite({
      '/': html(page('x', '<meta property="og:image" content="/i.png">')),
      '/i.png': image(png),
    });
    const { ask, ports, previews, stored, failed } = await start();
    previews.start();
    const ts = ports.clock.nowMs();
    await ask(site.url('/'));
    await ports.advance(7 * 86_400_000);
    expect(stored.size).toBe(1);
    await ports.advance(limits.previewSweepMs);
    await ports.until(() => stored.size === 0);
    expect(failed).toEqual([]);
    await previews.close();
    expect(await ask(site.url('/'), { ts })).toMatchObject({ 'og:image': 'mxc://veche.test/image0' });
    expect(site.asked).toHaveLength(4);
  });
});
