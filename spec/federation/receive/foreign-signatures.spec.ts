import { expect, it } from 'vitest';
import { signEvent } from '../../../src/matrix/crypto/finish-event.ts';
import { eventId } from '../../../src/matrix/crypto/reference-hash.ts';
import type { ServerName, UserId } from '../../../src/matrix/ids/ids.ts';
import type { JsonObject } from '../../../src/matrix/json/json-value.ts';
import { describeOnBothEngines } from '../../support/databases.ts';
import { alice, far, type FarEvent, FarRoom, keyOf, other } from './support/far-room.ts';
import { NearServer } from './support/near-server.ts';

describeOnBothEngines("an event that another server than its sender's has signed", (engine) => {
  const start = async () => {
    const room = FarRoom.withMembers('11');
    const server = new NearServer(await engine.open(), room);
    await server.take(room);
    const signedBy = ({ pdu }: FarEvent, ...servers: readonly ServerName[]) => {
      let signed: JsonObject = { ...pdu, signatures: {} };
      for (const name of servers) signed = signEvent(signed, name, keyOf(name), room.rules);
      return { pdu: signed, eventId: eventId(signed, room.rules) };
    };
    return { room, server, signedBy };
  };

  it('is dropped, whoever brings it', async () => {
    const { room, server, signedBy } = await start();
    const said = room.say(alice, 'forged');
    for (const origin of [other, far]) {
      const forged = signedBy(said, other);
      expect(await server.send([forged], { origin })).toEqual({
        [forged.eventId]: expect.stringMatching(/signature of far.example/),
      });
    }
    const unsigned = signedBy(said);
    expect(await server.send([unsigned])).toEqual({
      [unsigned.eventId]: expect.stringMatching(/signature of far.example/),
    });
    expect(await server.messages(room)).toEqual([]);
    // With the signature of the sender's server others do no harm.
    await server.send([signedBy(said, other, far)], { origin: other });
    expect(await server.messages(room)).toEqual(['forged']);
    await server.close();
  });

  it('is dropped where the server of the member who lets somebody in did not sign', async () => {
    const { room, server, signedBy } = await start();
    const joinRules = {
      join_rule: 'restricted',
      allow: [{ type: 'm.room_membership', room_id: '!lobby:far.example' }],
    };
    await server.send([room.add({ type: 'm.room.join_rules', stateKey: '', sender: alice, content: joinRules })]);
    const mallory = `@mallory:${other}` as UserId;
    const content = { membership: 'join', join_authorised_via_users_server: alice };
    const join = room.add({ type: 'm.room.member', stateKey: mallory, sender: mallory, content });
    const forged = signedBy(join, other);
    expect(await server.send([forged], { origin: other })).toEqual({
      [forged.eventId]: expect.stringMatching(/signature of far.example/),
    });
    const signed = signedBy(join, other, far);
    expect(await server.send([signed], { origin: other })).toEqual({ [signed.eventId]: null });
    await server.close();
  });
});
