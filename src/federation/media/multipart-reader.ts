/** Reads multipart bodies while they come, whatever a hostile sender makes of them. https://datatracker.ietf.org/doc/html/rfc2046#section-5.1 */
import { limits } from '../../platform/limits.ts';

/** The body is not of the form that it must have. */
export class MalformedMultipart extends Error {
  override readonly name = 'MalformedMultipart';
}

/** By names in lower case; of several with one name the first. */
export type PartHeaders = ReadonlyMap<string, string>;

/** The boundary in a Content-Type header. undefined: it is no multipart/mixed, or its boundary cannot be one. */
export function boundaryIn(contentType: string | undefined): string | undefined {
  if (contentType === undefined || !/^multipart\/mixed[ \t]*;/i.test(contentType)) return undefined;
  const [, quoted, plain] = /;[ \t]*boundary=(?:"([^"]*)"|([^\s;"]*))/i.exec(contentType) ?? [];
  const boundary = quoted ?? plain ?? '';
  return /^[0-9A-Za-z'()+_,\-./:=? ]{0,69}[0-9A-Za-z'()+_,\-./:=?]$/.test(boundary) ? boundary : undefined;
}

/**
 * The parts of one body, one after another. Throws MalformedMultipart, also for a body that ends before its last delimiter, and what
 * the source throws. No more of it is kept than one piece and what `limits.multipart…` allow.
 */
export class MultipartReader {
  readonly #source: AsyncIterator<Buffer>;
  readonly #delimiter: Buffer;
  /** As if an empty line came before: the first delimiter may stand at the beginning. */
  #pending: Buffer = Buffer.from('\r\n');
  #isWithinPart = true;

  constructor(chunks: AsyncIterable<Buffer>, boundary: string) {
    this.#source = chunks[Symbol.asyncIterator]();
    this.#delimiter = Buffer.from(`\r\n--${boundary}`, 'latin1');
  }

  /** The headers of the next part. undefined: there is no further one. At most `skippedBytesMax` of the part before are passed over. */
  async nextPart(skippedBytesMax: number): Promise<PartHeaders | undefined> {
    let skippedBytes = 0;
    for await (const piece of this.content()) {
      skippedBytes += piece.length;
      if (skippedBytes > skippedBytesMax) throw new MalformedMultipart('what stands around the file is too long');
    }
    if (await this.#takeIf('--')) return undefined;
    let left = limits.multipartHeadersBytesMax;
    const line = async (): Promise<string> => {
      const text = await this.#line(left);
      left -= text.length + 2;
      return text;
    };
    if ((await line()).trim() !== '') throw new MalformedMultipart('something stands behind a delimiter');
    const headers = new Map<string, string>();
    for (let text = await line(); text !== ''; text = await line()) {
      const [, name, value] = /^([!#$%&'*+\-.^_`|~0-9A-Za-z]{1,100}):(.*)$/s.exec(text) ?? [];
      if (name === undefined || value === undefined) throw new MalformedMultipart('a header of a part is none');
      if (!headers.has(name.toLowerCase())) headers.set(name.toLowerCase(), value.trim());
      if (headers.size > limits.multipartHeadersMax) throw new MalformedMultipart('a part has too many headers');
    }
    this.#isWithinPart = true;
    return headers;
  }

  /** The rest of this part, in pieces that are not empty. */
  async *content(): AsyncIterable<Buffer> {
    while (this.#isWithinPart) {
      const at = this.#pending.indexOf(this.#delimiter);
      const keptFrom = at >= 0 ? at : this.#pending.length - this.#delimiterBytesAtEnd();
      const piece = this.#pending.subarray(0, keptFrom);
      this.#pending = this.#pending.subarray(at >= 0 ? at + this.#delimiter.length : keptFrom);
      this.#isWithinPart = at < 0;
      if (piece.length > 0) yield piece;
      if (this.#isWithinPart) await this.#more();
    }
  }

  /** Lets go of the source. */
  async close(): Promise<void> {
    await this.#source.return?.();
  }

  /** How many of the last bytes may be the beginning of the delimiter. */
  #delimiterBytesAtEnd(): number {
    const pending = this.#pending;
    const earliest = Math.max(0, pending.length - this.#delimiter.length + 1);
    for (let at = pending.indexOf(carriageReturn, earliest); at >= 0; at = pending.indexOf(carriageReturn, at + 1)) {
      const length = pending.length - at;
      if (pending.compare(this.#delimiter, 0, length, at) === 0) return length;
    }
    return 0;
  }

  async #takeIf(text: string): Promise<boolean> {
    while (this.#pending.length < text.length) await this.#more();
    if (this.#pending.toString('latin1', 0, text.length) !== text) return false;
    this.#pending = this.#pending.subarray(text.length);
    return true;
  }

  /** Without its end. */
  async #line(bytesMax: number): Promise<string> {
    for (;;) {
      const end = this.#pending.indexOf('\r\n');
      if ((end < 0 ? this.#pending.length : end) > bytesMax)
        throw new MalformedMultipart('the headers of a part are too long');
      if (end >= 0) {
        const line = this.#pending.toString('utf8', 0, end);
        this.#pending = this.#pending.subarray(end + 2);
        return line;
      }
      await this.#more();
    }
  }

  async #more(): Promise<void> {
    const next = await this.#source.next();
    if (next.done === true) throw new MalformedMultipart('the body ends before its last delimiter');
    this.#pending = this.#pending.length === 0 ? next.value : Buffer.concat([this.#pending, next.value]);
  }
}

const carriageReturn = 0x0d;
