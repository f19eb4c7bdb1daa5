import { createSocket } from 'node:dgram';
import type { AddressInfo } from 'node:net';
import { describe, expect, it } from 'vitest';
import { systemDns } from '../../src/platform/dns.ts';
import type { Dns } from '../../src/platform/ports.ts';

const rcodes = { ok: 0, serverFailure: 2, noSuchName: 3 };
type Answer = { readonly rcode: number; readonly records?: readonly Buffer[] };

/** A name server on the loopback device for as long as `use` runs. */
async function withNameServer(answer: (name: string) => Answer, use: (dns: Dns) => Promise<void>): Promise<void> {
  const socket = createSocket('udp4');
  socket.on('message', (query, from) => {
    const { name, end } = readName(query, 12);
    const { rcode, records = [] } = answer(name);
    const head = Buffer.alloc(12);
    query.copy(head, 0, 0, 2);
    head.writeUInt16BE(0x8580 | rcode, 2);
    head.writeUInt16BE(1, 4);
    head.writeUInt16BE(records.length, 6);
    socket.send(Buffer.concat([head, query.subarray(12, end + 4), ...records]), from.port, from.address);
  });
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
  const { port } = socket.address() as AddressInfo;
  try {
    await use(systemDns({ servers: [`127.0.0.1:${port}`], timeoutMs: 10_000, tries: 1 }));
  } finally {
    await new Promise<void>((resolve) => socket.close(resolve));
  }
}

function readName(packet: Buffer, start: number): { name: string; end: number } {
  const labels: string[] = [];
  let at = start;
  for (let length = packet[at] ?? 0; length > 0; length = packet[at] ?? 0) {
    labels.push(packet.toString('latin1', at + 1, at + 1 + length));
    at += length + 1;
  }
  return { name: labels.join('.'), end: at + 1 };
}

/** https://www.rfc-editor.org/rfc/rfc2782 */
function srvRecord(priority: number, weight: number, port: number, target: string): Buffer {
  const name = Buffer.concat([
    ...target.split('.').map((label) => Buffer.from(`${String.fromCharCode(label.length)}${label}`)),
    Buffer.alloc(1),
  ]);
  const record = Buffer.alloc(18);
  record.writeUInt16BE(0xc00c, 0);
  record.writeUInt16BE(33, 2);
  record.writeUInt16BE(1, 4);
  record.writeUInt32BE(60, 6);
  record.writeUInt16BE(6 + name.length, 10);
  record.writeUInt16BE(priority, 12);
  record.writeUInt16BE(weight, 14);
  record.writeUInt16BE(port, 16);
  return Buffer.concat([record, name]);
}

describe('SRV records', () => {
  it('are given with priority, weight, port and name', () =>
    withNameServer(
      (name) => ({
        rcode: rcodes.ok,
        records:
          name === '_matrix-fed._tcp.example.org'
            ? [srvRecord(10, 5, 8443, 'm.example.org'), srvRecord(20, 0, 443, 'n.example.org')]
            : [],
      }),
      async (dns) => {
        expect(await dns.srv('_matrix-fed._tcp.example.org')).toEqual([
          expect.objectContaining({ priority: 10, weight: 5, port: 8443, name: 'm.example.org' }),
          expect.objectContaining({ priority: 20, weight: 0, port: 443, name: 'n.example.org' }),
        ]);
        expect(await dns.srv('_matrix._tcp.example.org')).toEqual([]);
      },
    ));

  it('are none for a name that does not exist', () =>
    withNameServer(
      () => ({ rcode: rcodes.noSuchName }),
      async (dns) => expect(await dns.srv('_matrix._tcp.absent.example')).toEqual([]),
    ));

  it('are an error, not none, when the name server cannot tell', () =>
    withNameServer(
      () => ({ rcode: rcodes.serverFailure }),
      async (dns) => {
        await expect(dns.srv('_matrix._tcp.broken.example')).rejects.toMatchObject({ code: 'ESERVFAIL' });
      },
    ));
});

describe('addresses', () => {
  it('of an unknown name are an error', async () => {
    await expect(systemDns().lookup('no-such-name.invalid')).rejects.toMatchObject({ syscall: 'getaddrinfo' });
  });
});
