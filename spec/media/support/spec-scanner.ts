/** A scanner in the hands of the spec. */
import { type Scanner, ScannerFailed } from '../../../src/media/scanning/scanner.ts';

/** Finds `bad`. */
export class SpecScanner implements Scanner {
  readonly name = 'spec';
  readonly scanned: string[] = [];
  current = 'Spec 1/100/today';
  asked = 0;
  /** Thrown instead of an answer. */
  failure: Error | undefined;
  /** Awaited before an answer, unless the signal comes first. */
  gate: Promise<void> = Promise.resolve();

  async version(): Promise<string> {
    this.asked += 1;
    if (this.failure !== undefined) throw this.failure;
    return this.current;
  }

  async scan(chunks: AsyncIterable<Buffer>, signal: AbortSignal): Promise<string | undefined> {
    const parts: Buffer[] = [];
    for await (const chunk of chunks) parts.push(chunk);
    const text = Buffer.concat(parts).toString();
    this.scanned.push(text);
    const aborted = new Promise<never>((_resolve, reject) => {
      signal.addEventListener('abort', () => reject(new ScannerFailed('ended')));
    });
    await Promise.race([this.gate, aborted]);
    if (this.failure !== undefined) throw this.failure;
    return text.includes('bad') ? 'Spec.Bad' : undefined;
  }
}
