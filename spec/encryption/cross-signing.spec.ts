import { expect, it } from 'vitest';
import type { JsonObject } from '../../src/matrix/json/json-value.ts';
import { limits } from '../../src/platform/limits.ts';
import { describeOnBothEngines } from '../support/databases.ts';
import { passwordAuth, refusal } from '../support/test-accounts.ts';
import { CrossSigning, KeyDevice, nameOf, signedBy } from './support/key-device.ts';
import { serverOn } from './support/server-on.ts';

/** https://spec.matrix.org/v1.19/client-server-api/#cross-signing */
describeOnBothEngines('cross-signing', (engine) => {
  const startServer = serverOn(engine);
  const start = async () => {
    const server = await startServer();
    const [alice, bob] = [await KeyDevice.register(server, 'alice'), await KeyDevice.register(server, 'bob')];
    await Promise.all([alice.uploadKeys(), bob.uploadKeys()]);
    return { alice, bob, ofAlice: new CrossSigning(alice), ofBob: new CrossSigning(bob) };
  };
  const upload = (device: KeyDevice, body: JsonObject) => device.post('/keys/device_signing/upload', body);
  const sign = async (device: KeyDevice, body: JsonObject) =>
    (await device.done('POST', '/keys/signatures/upload', body))['failures'];

  it('asks for the password when a key changes, and neither for the first keys nor for the same ones', async () => {
    const { alice, ofAlice } = await start();
    expect((await upload(alice, ofAlice.upload)).status).toBe(200);
    expect((await upload(alice, ofAlice.upload)).status).toBe(200);
    expect((await upload(alice, { self_signing_key: ofAlice.selfSigningKey })).status).toBe(200);
    const other = new CrossSigning(alice);
    const asked = await upload(alice, other.upload);
    expect(asked.status).toBe(401);
    expect(asked.json['flows']).toEqual([{ stages: ['m.login.password'] }]);
    const auth = { ...passwordAuth('alice'), session: String(asked.json['session']) };
    expect((await upload(alice, { ...other.upload, auth: { ...auth, password: 'wrong password' } })).status).toBe(401);
    expect((await alice.query(alice.userId))['master_keys']).toEqual({ [alice.userId]: ofAlice.masterKey });
    expect((await upload(alice, { ...other.upload, auth })).status).toBe(200);
    // The answer got lost.
    expect((await upload(alice, { ...other.upload, auth })).status).toBe(200);
    expect((await alice.query(alice.userId))['master_keys']).toEqual({ [alice.userId]: other.masterKey });
  });

  it('asks for the password for further keys of a master key', async () => {
    const { alice, ofAlice } = await start();
    expect((await upload(alice, { master_key: ofAlice.masterKey })).status).toBe(200);
    const wish = { self_signing_key: ofAlice.selfSigningKey };
    expect((await upload(alice, wish)).status).toBe(401);
    expect((await upload(alice, { ...wish, auth: passwordAuth('alice') })).status).toBe(200);
    expect((await alice.query(alice.userId))['self_signing_keys']).toEqual({ [alice.userId]: ofAlice.selfSigningKey });
  });

  it('takes only keys that are the own ones, of their usage and signed by the master key', async () => {
    const { alice, bob, ofAlice, ofBob } = await start();
    const refused = async (body: JsonObject) => refusal(await upload(alice, body));
    expect(await refused({})).toEqual([400, 'M_MISSING_PARAM']);
    expect(await refused({ self_signing_key: ofAlice.selfSigningKey })).toEqual([400, 'M_MISSING_PARAM']);
    expect(await refused({ master_key: ofBob.masterKey })).toEqual([400, 'M_INVALID_PARAM']);
    expect(await refused({ master_key: ofAlice.selfSigningKey })).toEqual([400, 'M_INVALID_PARAM']);
    const twoKeys = { ...ofAlice.masterKey, keys: { a: 'b', ...(ofAlice.masterKey['keys'] as JsonObject) } };
    expect(await refused({ master_key: twoKeys })).toEqual([400, 'M_INVALID_PARAM']);
    const misnamed = { ...ofAlice.masterKey, keys: { 'ed25519:other': ofAlice.master.publicKey } };
    expect(await refused({ master_key: misnamed })).toEqual([400, 'M_INVALID_PARAM']);
    expect(await refused({ master_key: { ...ofAlice.masterKey, keys: 1 } })).toEqual([400, 'M_BAD_JSON']);
    const stranger = new CrossSigning(alice);
    const unsigned = { ...ofAlice.upload, user_signing_key: stranger.userSigningKey };
    expect(await refused(unsigned)).toEqual([400, 'M_INVALID_SIGNATURE']);
    const forged = { ...ofAlice.selfSigningKey, more: 'than was signed' };
    expect(await refused({ ...ofAlice.upload, self_signing_key: forged })).toEqual([400, 'M_INVALID_SIGNATURE']);
    const long = { ...ofAlice.masterKey, long: 'x'.repeat(limits.crossSigningKeyBytesMax) };
    expect(await refused({ master_key: long })).toEqual([413, 'M_TOO_LARGE']);
    await alice.anotherDevice({ device_id: ofAlice.master.publicKey });
    expect(await refused(ofAlice.upload)).toEqual([403, 'M_FORBIDDEN']);
    expect((await bob.query(alice.userId))['master_keys']).toEqual({});
  });

  it('shows the user-signing key, and what it signed, to its owner alone', async () => {
    const { alice, bob, ofAlice, ofBob } = await start();
    await upload(alice, ofAlice.upload);
    await upload(bob, ofBob.upload);
    const signed = ofAlice.signUser(ofBob);
    expect(await sign(alice, { [bob.userId]: { [ofBob.master.publicKey]: signed } })).toEqual({});
    const both = await alice.query(alice.userId, bob.userId);
    expect(both['user_signing_keys']).toEqual({ [alice.userId]: ofAlice.userSigningKey });
    expect(both['master_keys']).toEqual({ [alice.userId]: ofAlice.masterKey, [bob.userId]: signed });
    expect((await bob.query(bob.userId))['master_keys']).toEqual({ [bob.userId]: ofBob.masterKey });
    expect((await bob.query(alice.userId))['user_signing_keys']).toEqual({});
    // A new identity of either side takes the signature away.
    const newBob = new CrossSigning(bob);
    expect((await upload(bob, { ...newBob.upload, auth: passwordAuth('bob') })).status).toBe(200);
    expect((await alice.query(bob.userId))['master_keys']).toEqual({ [bob.userId]: newBob.masterKey });
  });

  it('shows everybody what a user signed of their own', async () => {
    const { alice, bob, ofAlice } = await start();
    await upload(alice, ofAlice.upload);
    const device = ofAlice.signDevice(alice);
    const master = signedBy(ofAlice.masterKey, alice.userId, `ed25519:${alice.deviceId}`, alice.identity);
    const both = { [alice.deviceId]: device, [ofAlice.master.publicKey]: master };
    expect(await sign(alice, { [alice.userId]: both })).toEqual({});
    const seen = async () => {
      const answer = await bob.query(alice.userId);
      const devices = (answer['device_keys'] as Record<string, JsonObject>)[alice.userId];
      return [devices, answer['master_keys'], answer['self_signing_keys']];
    };
    expect(await seen()).toEqual([
      { [alice.deviceId]: { ...device, unsigned: {} } },
      { [alice.userId]: master },
      { [alice.userId]: ofAlice.selfSigningKey },
    ]);
    // Uploading the keys again, without it, does not take the signature away; other keys of the device do.
    await alice.uploadKeys();
    expect((await seen())[0]).toEqual({ [alice.deviceId]: { ...device, unsigned: {} } });
    const { next_batch: since } = await bob.sync();
    expect(await sign(alice, { [alice.userId]: both })).toEqual({});
    expect(await bob.sync(since)).not.toHaveProperty('device_lists');
    const later = new CrossSigning(alice);
    await upload(alice, { ...later.upload, auth: passwordAuth('alice') });
    expect(await seen()).toEqual([
      { [alice.deviceId]: { ...alice.deviceKeys(), unsigned: {} } },
      { [alice.userId]: later.masterKey },
      { [alice.userId]: later.selfSigningKey },
    ]);
  });

  it('keeps signatures of kinds that it does not know as they are', async () => {
    const { alice, bob, ofAlice, ofBob } = await start();
    const certificate = '-----BEGIN CMS-----\nMIIB\n-----END CMS-----\n';
    const byCertificate = { signatures: { [alice.userId]: { 'io.element.x509:AbC': certificate } } };
    expect(
      (await upload(alice, { ...ofAlice.upload, master_key: { ...ofAlice.masterKey, ...byCertificate } })).status,
    ).toBe(200);
    expect((await bob.query(alice.userId))['master_keys']).toEqual({
      [alice.userId]: { ...ofAlice.masterKey, ...byCertificate },
    });
    await upload(bob, ofBob.upload);
    const signatures = { [bob.userId]: { 'io.element.x509:Def': certificate } };
    expect(await sign(bob, { [bob.userId]: { [ofBob.master.publicKey]: { ...ofBob.masterKey, signatures } } })).toEqual(
      {},
    );
    expect((await alice.query(bob.userId))['master_keys']).toEqual({
      [bob.userId]: { ...ofBob.masterKey, signatures },
    });
  });

  it('tells of each signature that failed, and keeps the others', async () => {
    const { alice, bob, ofAlice, ofBob } = await start();
    await upload(alice, ofAlice.upload);
    await upload(bob, ofBob.upload);
    const phone = await alice.anotherDevice();
    await phone.uploadKeys();
    const tablet = await alice.anotherDevice();
    await tablet.uploadKeys();
    const good = ofAlice.signDevice(phone);
    const stranger = new CrossSigning(alice);
    const failures = await sign(alice, {
      [alice.userId]: {
        [phone.deviceId]: good,
        [tablet.deviceId]: { ...ofAlice.signDevice(tablet), algorithms: [] },
        [alice.deviceId]: stranger.signDevice(alice),
        [ofAlice.master.publicKey]: { ...ofAlice.masterKey, signatures: {} },
        UNKNOWN: good,
      },
      [bob.userId]: { [ofBob.master.publicKey]: stranger.signUser(ofBob), [bob.deviceId]: bob.deviceKeys() },
      '@nobody:localhost': { KEY: good },
    });
    const codes = Object.entries(failures as Record<string, Record<string, JsonObject>>).map(([userId, keys]) => [
      userId,
      Object.fromEntries(Object.entries(keys).map(([key, { errcode }]) => [key, errcode])),
    ]);
    expect(Object.fromEntries(codes)).toEqual({
      [alice.userId]: {
        [tablet.deviceId]: 'M_INVALID_SIGNATURE',
        [alice.deviceId]: 'M_INVALID_SIGNATURE',
        [ofAlice.master.publicKey]: 'M_INVALID_SIGNATURE',
        UNKNOWN: 'M_NOT_FOUND',
      },
      [bob.userId]: { [ofBob.master.publicKey]: 'M_INVALID_SIGNATURE', [bob.deviceId]: 'M_NOT_FOUND' },
      '@nobody:localhost': { KEY: 'M_NOT_FOUND' },
    });
    const { device_keys: devices } = await bob.query(alice.userId);
    const ofPhone = (devices as Record<string, Record<string, JsonObject>>)[alice.userId]?.[phone.deviceId];
    expect(ofPhone).toEqual({ ...good, unsigned: {} });
    const wrong = { ...good, signatures: { [alice.userId]: { [nameOf(ofAlice.selfSigning)]: 'AAAA' } } };
    expect(await sign(alice, { [alice.userId]: { [phone.deviceId]: wrong } })).toHaveProperty([
      alice.userId,
      phone.deviceId,
    ]);
  });

  it('ends with the account', async () => {
    const { alice, bob, ofAlice } = await start();
    await upload(alice, ofAlice.upload);
    await alice.done('POST', '/account/deactivate', { auth: passwordAuth('alice') });
    expect(await bob.query(alice.userId)).toMatchObject({
      device_keys: { [alice.userId]: {} },
      master_keys: {},
      self_signing_keys: {},
    });
  });
});
