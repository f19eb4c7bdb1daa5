import { expect, it } from 'vitest';
import type { JsonObject } from '../../src/matrix/json/json-value.ts';
import { pushersOfUser } from '../../src/storage/stores/pusher-store.ts';
import { insertThreepid } from '../../src/storage/stores/threepid-store.ts';
import { removeThreepid } from '../../src/accounts/email/own-threepids.ts';
import { KeyedLock } from '../../src/platform/keyed-lock.ts';
import { MailError } from '../../src/platform/mail-error.ts';
import { describeOnBothEngines } from '../support/databases.ts';
import { type TestPush, usePush } from '../support/test-push.ts';
import type { TestUser } from '../support/test-rooms.ts';

const address = 'bob@test.example';
const mailPusher = { kind: 'email', appId: 'm.email', data: { brand: 'x' }, append: true } as const;
const minuteMs = 60_000;

describeOnBothEngines('notifications by e-mail', (engine) => {
  const pushes = usePush(engine);
  const confirm = async (at: TestPush, user: TestUser, mailbox: string) => {
    const row = { medium: 'email', address: mailbox, user: user.userNid, addedTs: 0, validatedTs: 0 };
    await at.test.ctx.db.write((unit) => unit.run(insertThreepid, row)).committed;
  };
  const start = async (config = {}) => {
    const at = await pushes.start(config);
    const { test } = at;
    const [alice, bob] = [await test.user('alice'), await test.user('bob')];
    const roomId = await test.createRoom(alice, { name: 'A room' });
    await test.rooms.joinRoom(bob, { roomId });
    await confirm(at, bob, address);
    await at.addPusher(bob, 'Bob@Test.example', mailPusher);
    return { at, test, alice, bob, roomId, mails: at.ports.sentMail };
  };
  /** What was due is on disk afterwards, too. */
  const pass = async (at: TestPush, ms: number, mails?: number): Promise<void> => {
    await at.settle();
    await at.ports.advance(ms);
    // Where a database takes its time, a few more seconds pass meanwhile.
    if (mails !== undefined) await at.pass(1_000, () => at.ports.sentMail.length >= mails);
    await at.settle();
  };

  it('come once it is quiet, all that is unread in one message', async () => {
    const { at, test, alice, roomId, mails } = await start();
    await test.say(alice, roomId, 'first');
    await pass(at, 9 * minuteMs);
    await test.say(alice, roomId, 'second');
    await pass(at, 9 * minuteMs);
    expect(mails).toEqual([]);
    await pass(at, minuteMs, 1);
    expect(mails).toHaveLength(1);
    expect(mails[0]).toMatchObject({ to: address, subject: 'test: unread messages (2)' });
    for (const text of [mails[0]?.text, mails[0]?.html])
      for (const expected of ['A room', 'alice', 'first', 'second']) expect(text).toContain(expected);
    await pass(at, 24 * 60 * minuteMs);
    expect(mails).toHaveLength(1);
  });

  it('come at the latest after six times that long, however much is said', async () => {
    const { at, test, alice, roomId, mails } = await start();
    for (let index = 0; index < 13; index++) {
      await test.say(alice, roomId, `message ${index}`);
      await pass(at, 5 * minuteMs - 1);
    }
    await at.pass(1_000, () => mails.length > 0);
    expect(mails.map(({ subject }) => subject)).toEqual(['test: unread messages (13)']);
  });

  it('leave out what was read, and are none when nothing is left', async () => {
    const { at, test, alice, bob, roomId, mails } = await start();
    const read = await test.say(alice, roomId, 'read in time');
    await test.rooms.setReceipt(bob, roomId, 'm.read', read, undefined);
    await pass(at, 30 * minuteMs);
    expect(mails).toEqual([]);
    await test.say(alice, roomId, 'not read');
    await pass(at, 10 * minuteMs, 1);
    expect(mails[0]?.text).toContain('not read');
    expect(mails[0]?.text).not.toContain('read in time');
  });

  it('come less and less often while nothing is read, and soon again after that', async () => {
    const { at, test, alice, bob, roomId, mails } = await start();
    let count = 0;
    const nextAfter = async (minutes: number): Promise<void> => {
      await test.say(alice, roomId, `before mail ${++count}`);
      await pass(at, (minutes - 5) * minuteMs);
      expect(mails).toHaveLength(count - 1);
      await pass(at, 5 * minuteMs, count);
    };
    for (const minutes of [10, 60, 120, 240, 480, 720, 720]) await nextAfter(minutes);
    const last = await test.say(alice, roomId, 'the last');
    await test.rooms.setReceipt(bob, roomId, 'm.read', last, undefined);
    await test.say(alice, roomId, `before mail ${++count}`);
    const sinceMs = at.ports.clock.nowMs();
    await at.pass(minuteMs, () => mails.length === count);
    expect(at.ports.clock.nowMs() - sinceMs).toBeLessThan(600 * minuteMs);
  });

  it('say nothing of what is encrypted, and only a number where the server wants it so', async () => {
    const { at, test, alice, roomId, mails } = await start();
    const content = { algorithm: 'm.megolm.v1.aes-sha2', ciphertext: 'c1ph3r', session_id: 's' } as JsonObject;
    await test.rooms.sendMessage(alice, { roomId, type: 'm.room.encrypted', content });
    await pass(at, 10 * minuteMs, 1);
    expect(mails[0]?.text).toContain('An encrypted message');
    expect(mails[0]?.text).not.toContain('c1ph3r');
    const quiet = await start({ includeContent: false });
    await quiet.test.say(quiet.alice, quiet.roomId, 'secret');
    await pass(quiet.at, 10 * minuteMs, 1);
    for (const hidden of ['secret', 'alice', 'A room']) expect(quiet.mails[0]?.text).not.toContain(hidden);
    expect(quiet.mails[0]?.text).toContain('Number of messages: 1.');
  });

  it('never come twice, and never are lost, over crashes', async () => {
    const first = await start();
    await first.test.say(first.alice, first.roomId, 'before the crash');
    await pass(first.at, 9 * minuteMs);
    const second = await pushes.killAndRestart(first.at);
    await pass(second, 10 * minuteMs, 1);
    expect(first.mails[0]?.text).toContain('before the crash');
    const third = await pushes.killAndRestart(second);
    await pass(third, 12 * 60 * minuteMs);
    expect(first.mails).toHaveLength(1);
    // The one after it waits for its time as if nothing had happened.
    await third.test.say(first.alice, first.roomId, 'after the crash');
    await pass(third, 10 * minuteMs, 2);
    await third.test.say(first.alice, first.roomId, 'once more');
    await pass(third, 20 * minuteMs);
    const fourth = await pushes.killAndRestart(third);
    await pass(fourth, 30 * minuteMs);
    expect(first.mails).toHaveLength(2);
    await pass(fourth, 150 * minuteMs, 3);
    expect(first.mails[2]?.text).toContain('once more');
    expect(first.mails[2]?.text).not.toContain('after the crash');
  });

  it('are tried again when the mail server has no time, also after a crash', async () => {
    const { at, test, alice, bob, roomId, mails } = await start();
    at.mailFailure = new MailError('later', 'busy');
    await test.say(alice, roomId, 'patience');
    await at.settle();
    await at.pass(minuteMs, () => at.mailFailures > 0);
    // What was noted before it was handed over is taken back.
    const noted = async () => (await test.ctx.db.all(pushersOfUser, { user: bob.userNid })).map((row) => row.mailed_ts);
    await expect.poll(noted, { timeout: 20_000 }).toEqual([null]);
    const again = await pushes.killAndRestart(at);
    again.mailFailure = new MailError('unreachable', 'nobody answers');
    await again.settle();
    await again.pass(minuteMs, () => again.mailFailures >= 1);
    expect(mails).toEqual([]);
    again.mailFailure = undefined;
    await again.pass(minuteMs, () => mails.length > 0);
    expect(mails.map(({ text }) => text?.includes('patience'))).toEqual([true]);
  });

  it('go to addresses that the account has confirmed, and as long as it has them', async () => {
    const { at, test, alice, bob, roomId, mails } = await start();
    const wish = { ...mailPusher, pushkey: 'other@test.example' };
    await expect(at.addPusher(bob, wish.pushkey, wish)).rejects.toMatchObject({ errcode: 'M_THREEPID_NOT_FOUND' });
    await expect(at.addPusher(alice, address, mailPusher)).rejects.toMatchObject({ errcode: 'M_THREEPID_NOT_FOUND' });
    await expect(at.addPusher(bob, address, { ...mailPusher, appId: 'app' })).rejects.toMatchObject({
      errcode: 'M_INVALID_PARAM',
    });
    expect(await at.push.listPushers(bob)).toMatchObject([{ pushkey: address, kind: 'email', deviceId: undefined }]);
    await test.say(alice, roomId, 'too late');
    await pass(at, 5 * minuteMs);
    await removeThreepid({ db: test.ctx.db, locks: new KeyedLock() }, bob, 'email', address);
    await pass(at, 60 * minuteMs);
    expect(mails).toEqual([]);
    expect(await at.push.listPushers(bob)).toEqual([]);
  });

  it('end with their pusher', async () => {
    const { at, test, alice, bob, roomId, mails } = await start();
    await test.say(alice, roomId, 'unheard');
    await pass(at, 5 * minuteMs);
    await at.push.removePusher(bob, { appId: 'm.email', pushkey: 'BOB@test.example' });
    await pass(at, 60 * minuteMs);
    expect(mails).toEqual([]);
  });
});
