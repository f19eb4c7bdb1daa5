/**
 * Messages of the extended query protocol, many of them in one buffer: a group goes to the server in one piece and costs one
 * round trip. https://www.postgresql.org/docs/current/protocol-message-formats.html
 */
export class WireBuffer {
  #buffer: Buffer;
  #at = 0;

  constructor(bytes: number) {
    this.#buffer = Buffer.allocUnsafe(bytes);
  }

  parse(name: string, text: string): void {
    const end = this.#begin(0x50);
    this.#text0(name);
    this.#text0(text);
    this.#int16(0);
    end();
  }

  describeStatement(name: string): void {
    const end = this.#begin(0x44);
    this.#int8(0x53);
    this.#text0(name);
    end();
  }

  /** Binds to the unnamed portal. Texts are sent as text, bytes as binary; rows come back as text. */
  bind(name: string, values: readonly (string | Buffer | null)[]): void {
    const end = this.#begin(0x42);
    this.#text0('');
    this.#text0(name);
    this.#int16(values.length);
    for (const value of values) this.#int16(Buffer.isBuffer(value) ? 1 : 0);
    this.#int16(values.length);
    for (const value of values) this.#value(value);
    this.#int16(0);
    end();
  }

  /** Runs the unnamed portal to its end. */
  execute(): void {
    const end = this.#begin(0x45);
    this.#text0('');
    this.#int32(0);
    end();
  }

  sync(): void {
    this.#begin(0x53)();
  }

  finish(): Buffer {
    return this.#buffer.subarray(0, this.#at);
  }

  /** Gives the function that writes the message's length when the message is complete. */
  #begin(type: number): () => void {
    this.#int8(type);
    const start = this.#at;
    this.#int32(0);
    return () => void this.#buffer.writeInt32BE(this.#at - start, start);
  }

  #value(value: string | Buffer | null): void {
    if (value === null) this.#int32(-1);
    else if (typeof value === 'string') {
      this.#room(4 + 3 * value.length);
      const length = this.#buffer.write(value, this.#at + 4, 'utf8');
      this.#buffer.writeInt32BE(length, this.#at);
      this.#at += 4 + length;
    } else {
      this.#int32(value.length);
      this.#room(value.length);
      this.#buffer.set(value, this.#at);
      this.#at += value.length;
    }
  }

  #text0(text: string): void {
    this.#room(3 * text.length + 1);
    this.#at += this.#buffer.write(text, this.#at, 'utf8');
    this.#buffer[this.#at++] = 0;
  }

  #int8(value: number): void {
    this.#room(1);
    this.#buffer[this.#at++] = value;
  }

  #int16(value: number): void {
    this.#room(2);
    this.#at = this.#buffer.writeInt16BE(value, this.#at);
  }

  #int32(value: number): void {
    this.#room(4);
    this.#at = this.#buffer.writeInt32BE(value, this.#at);
  }

  #room(bytes: number): void {
    if (this.#at + bytes <= this.#buffer.length) return;
    const larger = Buffer.allocUnsafe(2 * this.#buffer.length + bytes);
    this.#buffer.copy(larger, 0, 0, this.#at);
    this.#buffer = larger;
  }
}
