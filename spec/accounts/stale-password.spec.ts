import { expect, it } from 'vitest';
import { describeOnBothEngines } from '../support/databases.ts';
import { accountsOn, passwordAuth, passwordOfTests, refusal } from '../support/test-accounts.ts';
import { WatchedDatabase } from '../support/watched-database.ts';

const newPassword = 'quite another secret';
const refused = [403, 'M_FORBIDDEN'];
const changePath = '/_matrix/client/v3/account/password';
const readAccount = 'account.ofUserId';

describeOnBothEngines('a password that is changed while it is being checked', (engine) => {
  const start = accountsOn(engine);

  async function setUp() {
    const db = new WatchedDatabase(await engine.open());
    const server = await start({ db });
    const admin = await server.registerAdministrator('admin');
    const alice = await server.register('alice');
    const changeByAdministrator = async () => {
      const body = { password: newPassword };
      expect((await server.request('PUT', '/_synapse/admin/v2/users/@alice:test', { user: admin, body })).status).toBe(
        200,
      );
    };
    /** The change comes after the request has read the account with its old hash for the `nth` time. */
    const changeDuring = async <T>(nth: number, send: () => Promise<T>): Promise<T> => {
      let held = db.holdNext(readAccount);
      const answer = send();
      for (let read = 1; read < nth; read++) {
        await held.reached;
        const next = db.holdNext(readAccount);
        held.release();
        held = next;
      }
      await held.reached;
      await changeByAdministrator();
      held.release();
      return answer;
    };
    return { ...server, db, admin, alice, changeByAdministrator, changeDuring };
  }

  it('begins no session', async () => {
    const { request, changeDuring, alice, admin } = await setUp();
    const path = '/_matrix/client/v3/login';
    expect(refusal(await changeDuring(1, () => request('POST', path, { body: passwordAuth('alice') })))).toEqual(
      refused,
    );
    const whois = await request('GET', `/_matrix/client/v3/admin/whois/${alice.userId}`, { user: admin });
    expect(whois.json['devices']).toEqual({});
  });

  it('makes no login token', async () => {
    const { request, changeDuring, alice } = await setUp();
    const body = { auth: passwordAuth('alice') };
    const asked = () => request('POST', '/_matrix/client/v1/login/get_token', { user: alice, body });
    expect(refusal(await changeDuring(2, asked))).toEqual(refused);
  });

  it('changes no password', async () => {
    const { request, changeDuring, logIn } = await setUp();
    const body = { new_password: 'what the thief wants', auth: passwordAuth('alice') };
    expect(refusal(await changeDuring(1, () => request('POST', changePath, { body })))).toEqual(refused);
    await logIn('alice', { password: newPassword });
  });

  it('deactivates no account', async () => {
    const { request, changeDuring, logIn, departed } = await setUp();
    const body = { auth: passwordAuth('alice') };
    const path = '/_matrix/client/v3/account/deactivate';
    expect(refusal(await changeDuring(1, () => request('POST', path, { body })))).toEqual(refused);
    expect(departed).toEqual([]);
    await logIn('alice', { password: newPassword });
  });

  it('does not come back by a repeated request', async () => {
    const { request, changeByAdministrator, logIn } = await setUp();
    const asked = await request('POST', changePath, { body: { new_password: 'the first change' } });
    const { session = '' } = asked.json;
    const body = { new_password: 'the first change', auth: { ...passwordAuth('alice'), session } };
    expect((await request('POST', changePath, { body })).status).toBe(200);
    await changeByAdministrator();
    const repeated = await request('POST', changePath, { body: { ...body, auth: { session } } });
    expect([repeated.status, repeated.json]).toEqual([200, {}]);
    await logIn('alice', { password: newPassword });
  });

  it('does not let a repeated registration log in', async () => {
    const { request, admin } = await setUp();
    const path = '/_matrix/client/v3/register';
    const fields = { username: 'bob', password: passwordOfTests };
    const { session = '' } = (await request('POST', path, { body: fields })).json;
    const body = { ...fields, auth: { type: 'm.login.dummy', session } };
    expect((await request('POST', path, { body })).status).toBe(200);
    expect((await request('POST', path, { body })).status).toBe(200);
    const change = { password: newPassword };
    await request('PUT', '/_synapse/admin/v2/users/@bob:test', { user: admin, body: change });
    expect(refusal(await request('POST', path, { body }))).toEqual(refused);
  });
});
