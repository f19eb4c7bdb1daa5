import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { boundaryIn, MalformedMultipart, MultipartReader } from '../../../src/federation/media/multipart-reader.ts';
import { chunksOf, endless } from './support/remote-files.ts';

async function contentOf(reader: MultipartReader): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for await (const piece of reader.content()) pieces.push(piece);
  return Buffer.concat(pieces);
}
async function* cutAt(bytes: Buffer, cuts: readonly number[]): AsyncIterable<Buffer> {
  let from = 0;
  for (const to of [...cuts.toSorted((a, b) => a - b), bytes.length]) {
    if (to > from) yield Buffer.copyBytesFrom(bytes, from, to - from);
    from = Math.max(from, to);
  }
}
const read = async (chunks: AsyncIterable<Buffer>): Promise<string> => {
  const reader = new MultipartReader(chunks, 'abc');
  await reader.nextPart(100);
  await reader.nextPart(100);
  const content = await contentOf(reader);
  expect(await reader.nextPart(0)).toBeUndefined();
  return content.toString('latin1');
};
const before = '--abc\r\nContent-Type: application/json\r\n\r\n{}\r\n--abc\r\nContent-Type: text/plain\r\n\r\n';

describe('a multipart body', () => {
  it('gives the same content however it is cut, also one that looks like delimiters', async () => {
    const piece = fc.constantFrom(
      '\r',
      '\n',
      '\r\n',
      '-',
      '--',
      '--ab',
      '\r\n--ab',
      '\r\n-abc',
      'abc',
      'x',
      '\r\r\n--a',
    );
    await fc.assert(
      fc.asyncProperty(
        fc.array(piece, { maxLength: 30 }),
        fc.array(fc.nat(400), { maxLength: 20 }),
        async (list, cuts) => {
          const content = list.join('');
          fc.pre(!`\r\n${content}`.includes('\r\n--abc'));
          const bytes = Buffer.from(`${before}${content}\r\n--abc--`, 'latin1');
          const inside = cuts.filter((cut) => cut <= bytes.length);
          expect(await read(cutAt(bytes, inside))).toBe(content);
        },
      ),
      { numRuns: 300 },
    );
  });

  it.each([
    ['ends early', `${before}some`],
    ['has no last delimiter', `${before}some\r\n--abc`],
    ['has another boundary', before.replaceAll('--abc', '--abd')],
    ['has something behind a delimiter', before.replace('--abc\r\nContent-Type: text', '--abcd\r\nContent-Type: text')],
    ['has a header that is none', before.replace('Content-Type: text/plain', 'Content Type')],
    [
      'has too many headers',
      before.replace('Content-Type: text/plain', Array.from({ length: 33 }, (_, n) => `A${n}: b`).join('\r\n')),
    ],
    ['has a long preamble', `${'x'.repeat(200)}${before}`],
  ])('is refused that %s', async (_title, text) => {
    await expect(read(chunksOf(text))).rejects.toBeInstanceOf(MalformedMultipart);
  });

  it.each([
    ['headers', `${before.slice(0, 7)}A: `],
    ['preamble', ''],
  ])('is refused after a while whose %s never end', async (_title, start) => {
    let takenBytes = 0;
    const chunks = (async function* () {
      yield Buffer.from(start);
      yield* endless('x'.repeat(1_000), (bytes) => (takenBytes = bytes));
    })();
    await expect(read(chunks)).rejects.toBeInstanceOf(MalformedMultipart);
    expect(takenBytes).toBeLessThan(100_000);
  });

  it('has a boundary that can be one', () => {
    expect(boundaryIn('multipart/mixed; boundary=abc')).toBe('abc');
    expect(boundaryIn('Multipart/Mixed; charset=x; boundary="a b:c"')).toBe('a b:c');
    const wrong = [
      'multipart/mixed',
      'multipart/mixed; boundary=',
      'text/html; boundary=abc',
      'multipart/mixed; boundary="a "',
    ];
    for (const type of [...wrong, `multipart/mixed; boundary=${'a'.repeat(71)}`, undefined])
      expect(boundaryIn(type)).toBeUndefined();
  });
});
