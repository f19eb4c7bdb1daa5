import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { looksLike } from '../../src/media/content-signature.ts';
import { isShownInline, normalContentType } from '../../src/media/content-type.ts';
import { contentDisposition, plainFileName } from '../../src/media/file-name.ts';
import { parse } from 'content-disposition';

describe('a content type', () => {
  it.each([
    'image/png',
    'text/plain; charset=utf-8',
    'Text/Plain; Charset="utf-8"',
    'img/png',
    'application/vnd.oasis.opendocument.text',
    'multipart/form-data; boundary="a b"',
    'text/plain;',
  ])('%s is kept as it is', (given) => {
    expect(normalContentType(` ${given} `)).toBe(given);
  });

  it.each([
    '',
    'image',
    'image/',
    '/png',
    'image/png\r\nX: y',
    'image png',
    'image/png; a',
    'a/b; c="',
    `a/${'b'.repeat(254)}`,
  ])('%j is none', (given) => {
    expect(normalContentType(given)).toBeUndefined();
  });

  it('can always be a header', () => {
    fc.assert(
      fc.property(fc.string(), (given) => {
        const kept = normalContentType(`text/plain;${given}`);
        expect(kept === undefined || /^[\t\x20-\x7e]+$/.test(kept)).toBe(true);
      }),
    );
  });

  it('decides what browsers may show', () => {
    for (const type of ['image/png', 'IMAGE/PNG', 'text/plain;charset=utf-8', 'video/mp4 ; codecs=x', 'audio/flac'])
      expect(isShownInline(type)).toBe(true);
    for (const type of ['text/html', 'image/svg+xml', 'application/pdf', 'text/javascript', 'application/octet-stream'])
      expect(isShownInline(type)).toBe(false);
  });
});

describe('the first bytes', () => {
  const png = Buffer.from('89504e470d0a1a0a0000000d49484452', 'hex');
  const page = Buffer.from('<!doctype html><');
  it('tell what is plainly something else', () => {
    expect(looksLike('image/png', png)).toBe(true);
    expect(looksLike('Image/PNG; x=y', png)).toBe(true);
    expect(looksLike('image/apng', png)).toBe(true);
    expect(looksLike('image/jpeg', png)).toBe(false);
    expect(looksLike('image/webp', Buffer.from('RIFF\x10\0\0\0WEBPVP8 ', 'latin1'))).toBe(true);
    expect(looksLike('video/mp4', Buffer.from('\0\0\0\x20ftypisom', 'latin1'))).toBe(true);
    for (const type of ['image/png', 'image/gif', 'image/webp', 'image/avif', 'video/webm', 'audio/ogg', 'audio/wav'])
      expect([type, looksLike(type, page), looksLike(type, Buffer.alloc(0))]).toEqual([type, false, false]);
  });

  it('say nothing of other types', () => {
    for (const type of [
      'text/plain',
      'text/html',
      'application/json',
      'img/png',
      'audio/mpeg',
      'application/octet-stream',
    ])
      expect(looksLike(type, page)).toBe(true);
  });
});

describe('a file name', () => {
  it.each([
    ['plain.txt', 'plain.txt'],
    ['name with spaces', 'name with spaces'],
    ['name;with;semicolons', 'name;with;semicolons'],
    ['"quoted" \\ back', ' back'.trim()],
    ['../../etc/passwd', 'passwd'],
    ['..\\..\\windows\\system.ini', 'system.ini'],
    ['/etc/', undefined],
    ['..', undefined],
    ['.', undefined],
    ['', undefined],
    ['a\r\nSet-Cookie: b', 'aSet-Cookie: b'],
    ['a\0b\u0085c\u007f', 'abc'],
    ['\ud800x', '\ufffdx'],
    ['Отчёт за ноябрь.pdf', 'Отчёт за ноябрь.pdf'],
    ['🐔', '🐔'],
    ['كتاب.pdf', 'كتاب.pdf'],
  ])('%j is kept as %j', (given, kept) => {
    expect(plainFileName(given)).toBe(kept);
  });

  it('is refused when it is too long', () => {
    expect(plainFileName('ы'.repeat(512))).toBe('ы'.repeat(512));
    expect(() => plainFileName('ы'.repeat(513))).toThrow('at most 1024 bytes');
  });

  it('is in the header as it is, in every script', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 100 }), (given) => {
        const name = plainFileName(given);
        const header = contentDisposition('attachment', name);
        expect(header).toMatch(/^[\t\x20-\x7e\xa0-\xff]+$/);
        expect(parse(header)).toMatchObject({
          type: 'attachment',
          parameters: name === undefined ? {} : { filename: name },
        });
      }),
    );
    expect(contentDisposition('inline', undefined)).toBe('inline');
    expect(contentDisposition('attachment', '🐔')).toBe(`attachment; filename="??"; filename*=UTF-8''%F0%9F%90%94`);
  });
});
