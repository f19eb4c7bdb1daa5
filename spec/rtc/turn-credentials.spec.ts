import { describe, expect, it } from 'vitest';
import type { UserId } from '../../src/matrix/ids/ids.ts';
import { loadConfig } from '../../src/platform/config/config.ts';
import { turnCredentials } from '../../src/rtc/turn-credentials.ts';

const alice = { userId: '@alice:example.org' as UserId, isGuest: false };
const guest = { userId: '@1:example.org' as UserId, isGuest: true };
const uris = ['turn:turn.example.org:3478?transport=udp', 'turns:turn.example.org:5349'];
const turnOf = (settings: Readonly<Record<string, string>>) =>
  loadConfig(undefined, {
    VECHE_TURN__URIS: JSON.stringify(uris),
    ...Object.fromEntries(Object.entries(settings).map(([key, value]) => [`VECHE_TURN__${key}`, value])),
  }).turn;

describe('TURN credentials', () => {
  it('are none where nothing is configured', () => {
    expect(turnCredentials(loadConfig(undefined, {}).turn, alice, 0)).toEqual({});
  });

  it('are made of the shared secret for each user, and end', () => {
    const turn = turnOf({ SHARED_SECRET: 'north', TTL_SECONDS: '86400' });
    // echo -n '1443865829:@alice:example.org' | openssl dgst -sha1 -hmac north -binary | base64
    expect(turnCredentials(turn, alice, 1_443_779_429_999)).toEqual({
      username: '1443865829:@alice:example.org',
      password: 'm6LDHTVUNWT5LPQtkmDIZATEvAY=',
      uris,
      ttl: 86_400,
    });
  });

  it('are the same for all where they are configured so', () => {
    const turn = turnOf({ USERNAME: 'somebody', PASSWORD: 'secret', TTL_SECONDS: '600' });
    expect(turnCredentials(turn, alice, 0)).toEqual({ username: 'somebody', password: 'secret', uris, ttl: 600 });
  });

  it('are for guests only where that is allowed', () => {
    expect(turnCredentials(turnOf({ SHARED_SECRET: 'north' }), guest, 0)).toHaveProperty('username');
    const turn = turnOf({ SHARED_SECRET: 'north', ALLOW_GUESTS: 'false' });
    expect(turnCredentials(turn, guest, 0)).toEqual({});
    expect(turnCredentials(turn, alice, 0)).toHaveProperty('username');
  });

  it('need a secret or a password in the configuration, and not both', () => {
    for (const settings of [{}, { USERNAME: 'x' }, { SHARED_SECRET: 'x', USERNAME: 'y', PASSWORD: 'z' }])
      expect(() => turnOf(settings)).toThrow('turn');
  });
});
