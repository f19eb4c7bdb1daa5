import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { readListenerOptions } from '../../src/http/listener-options.ts';

const certificate = fileURLToPath(new URL('../fixtures/tls/localhost.pem', import.meta.url));
const privateKey = fileURLToPath(new URL('../fixtures/tls/localhost.key', import.meta.url));
const listener = { bind: '127.0.0.1', port: 0, serve: ['client' as const], trustedProxies: ['10.0.0.0/8'] };

describe('readListenerOptions', () => {
  it('reads the files of TLS listeners and leaves the others alone', async () => {
    const options = await readListenerOptions([
      { ...listener, tls: undefined },
      { ...listener, tls: { certificate, privateKey } },
    ]);
    expect(options[0]).toEqual({ ...listener, tls: undefined });
    expect(options[1]?.tls?.certificate.toString()).toContain('BEGIN CERTIFICATE');
    expect(options[1]?.tls?.privateKey.toString()).toContain('PRIVATE KEY');
  });

  it('names the file that cannot be read', async () => {
    const tls = { certificate, privateKey: '/nowhere/key.pem' };
    await expect(readListenerOptions([{ ...listener, tls }])).rejects.toThrow(
      'The private key of a listener, /nowhere/key.pem, cannot be read',
    );
  });
});
