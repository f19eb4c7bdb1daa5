import { describe, expect, it } from 'vitest';
import { limits } from '../../../src/platform/limits.ts';
import { useFederatedServers } from '../../support/federated-servers.ts';

describe('PUT /_matrix/federation/v1/send/{txnId}', () => {
  const servers = useFederatedServers(['near.test']);
  const uri = '/_matrix/federation/v1/send/1';

  it('is for servers that sign, and says what it did with each event', async () => {
    const peer = servers.addPeer('far.test');
    const content = { origin: 'far.test', origin_server_ts: 1, pdus: [], edus: [] };
    const taken = await peer.send('near.test', { method: 'PUT', uri, content });
    expect([taken.status, taken.json]).toEqual([200, { pdus: {} }]);
    const unsigned = await peer.send('near.test', { method: 'PUT', uri, content, authorization: '' });
    expect([unsigned.status, unsigned.json['errcode']]).toEqual([401, 'M_UNAUTHORIZED']);
    const elsewhere = { room_id: '!nowhere:far.test', event_id: '$event:far.test', type: 'm.room.message' };
    const refused = await peer.send('near.test', {
      method: 'PUT',
      uri: '/_matrix/federation/v1/send/2',
      content: { ...content, pdus: [elsewhere] },
    });
    expect(refused.json).toEqual({ pdus: { '$event:far.test': { error: 'This server is not in the room' } } });
  });

  it('refuses what is no transaction', async () => {
    const peer = servers.addPeer('far.test');
    const put = async (content: Parameters<typeof peer.send>[1]['content']) => {
      const { status, json } = await peer.send('near.test', { method: 'PUT', uri, ...(content && { content }) });
      return [status, json['errcode']];
    };
    expect(await put({ pdus: 'none' })).toEqual([400, 'M_BAD_JSON']);
    const many = Array.from({ length: limits.transactionPdusMax + 1 }, () => ({}));
    expect(await put({ pdus: many })).toEqual([400, 'M_BAD_JSON']);
    expect(await put({ pdus: [], edus: [...many, ...many] })).toEqual([400, 'M_BAD_JSON']);
  });
});
