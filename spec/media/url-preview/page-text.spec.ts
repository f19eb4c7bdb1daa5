import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { pageText } from '../../../src/media/url-preview/page-text.ts';

const koi8 = Buffer.from([0xf7, 0xc5, 0xde, 0xc5]);
const latin1 = (text: string): Buffer => Buffer.from(text, 'latin1');

describe('the text of a page', () => {
  it.each([
    [
      'by its byte order mark, whatever the header says',
      Buffer.from('\ufeffВече'),
      'text/html; charset=koi8-r',
      'Вече',
    ],
    ['as UTF-16, little-endian', Buffer.from('\ufeffВече', 'utf16le'), 'text/html', 'Вече'],
    ['as UTF-16, big-endian', Buffer.from('\ufeffВече', 'utf16le').swap16(), 'text/html', 'Вече'],
    ['by the header', koi8, 'text/html; charset=KOI8-R', 'Вече'],
    ['by the header in quotes', koi8, 'text/html; Charset = "koi8-r"', 'Вече'],
    [
      'by <meta charset>',
      Buffer.concat([latin1('<meta charset=koi8-r>'), koi8]),
      'text/html',
      '<meta charset=koi8-r>Вече',
    ],
    [
      'by <meta http-equiv>',
      Buffer.concat([latin1('<META http-equiv="Content-Type" content="text/html; charset=koi8-r">'), koi8]),
      'text/html; charset=nonsense',
      '<META http-equiv="Content-Type" content="text/html; charset=koi8-r">Вече',
    ],
    [
      'by an XML declaration',
      Buffer.concat([latin1('<?xml version="1.0" encoding="koi8-r"?>'), koi8]),
      '',
      '<?xml version="1.0" encoding="koi8-r"?>Вече',
    ],
    [
      'as UTF-8 where <meta> claims UTF-16',
      Buffer.from('<meta charset="utf-16">Вече'),
      '',
      '<meta charset="utf-16">Вече',
    ],
    ['as UTF-8 where nothing is said', Buffer.from('Вече'), 'text/html', 'Вече'],
    ['as windows-1252 where that is no UTF-8', latin1('caf\xe9 \x80'), 'text/html', 'café €'],
    ['as Shift_JIS', Buffer.from([0x93, 0xfa, 0x96, 0x7b]), 'text/html; charset=Shift_JIS', '日本'],
  ])('is read %s', (_how, bytes, contentType, text) => {
    expect(pageText(bytes, contentType)).toBe(text);
  });

  it('may be cut off within a character', () => {
    expect(pageText(Buffer.from('Вече').subarray(0, 7), 'text/html')).toBe('Веч\ufffd');
  });

  it('is some text, whatever the bytes and the header are', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.string(), (bytes, contentType) => {
        expect(typeof pageText(Buffer.from(bytes), contentType)).toBe('string');
      }),
    );
  });
});
