import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { UserId } from '../../../src/matrix/ids/ids.ts';
import { consentsOfUser } from '../../../src/storage/stores/consent-store.ts';
import { describeOnBothEngines } from '../../support/databases.ts';
import { startLoopbackServer } from '../../support/loopback-server.ts';
import { accountsConfigOfTests, accountsOn, passwordOfTests } from '../../support/test-accounts.ts';
import { requestJson } from '../../support/test-server.ts';

const register = '/_matrix/client/v3/register';
const terms = [
  {
    id: 'privacy_policy',
    version: '1.2',
    languages: {
      en: { name: 'Privacy policy', file: undefined, url: 'https://example.org/privacy' },
      ru: { name: 'Политика', file: '/somewhere', url: undefined },
    },
  },
];

describeOnBothEngines('documents that people accept', (engine) => {
  const start = accountsOn(engine);

  it('are shown to who registers, must be accepted, and are noted with the account', async () => {
    const test = await start({ config: { registration: { ...accountsConfigOfTests.registration, terms } } });
    const body = { username: 'alice', password: passwordOfTests };
    const asked = await test.request('POST', register, { body });
    const { session } = asked.json;
    expect(asked.json).toEqual({
      flows: [{ stages: ['m.login.terms', 'm.login.dummy'] }],
      params: {
        'm.login.terms': {
          policies: {
            privacy_policy: {
              version: '1.2',
              en: { name: 'Privacy policy', url: 'https://example.org/privacy' },
              ru: {
                name: 'Политика',
                url: 'https://matrix.test/_matrix/client/unstable/veche/terms/privacy_policy/1.2/ru',
              },
            },
          },
        },
      },
      session,
    });
    const withStage = (type: string) =>
      test.request('POST', register, { body: { ...body, auth: { type, session: String(session) } } });
    expect((await withStage('m.login.dummy')).status).toBe(401);
    const accepted = await withStage('m.login.terms');
    expect([accepted.status, accepted.json['completed']]).toEqual([401, ['m.login.terms']]);
    expect((await withStage('m.login.dummy')).json['user_id']).toBe('@alice:test');
    const account = await test.accounts.findAccount('@alice:test' as UserId);
    const consents = await test.db.all(consentsOfUser, { user: account?.userNid ?? 0 });
    expect(consents).toEqual([{ document: 'privacy_policy', version: '1.2', ts: test.ports.clock.nowMs() }]);
  });
});

it('documents are shown by the server itself, as plain text', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'veche-terms-'));
  const file = join(folder, 'terms.txt');
  writeFileSync(file, 'First <b>.\n\nSecond.\n');
  const document = `{ id: terms, version: "1", languages: { de: { name: Regeln, file: ${file} } } }`;
  const server = await startLoopbackServer({ config: { registration: `{ enabled: true, terms: [${document}] }` } });
  try {
    const path = '/_matrix/client/unstable/veche/terms/terms/1';
    const page = await requestJson(server.url, 'GET', `${path}/de`);
    expect(page.headers.get('content-type')).toBe('text/html; charset=utf-8');
    expect(page.text).toContain('<p>First &lt;b&gt;.</p><p>Second.');
    expect(page.text).toContain('lang="de"');
    expect((await requestJson(server.url, 'GET', `${path}/en`)).status).toBe(404);
  } finally {
    await server.close();
    rmSync(folder, { recursive: true });
  }
});
