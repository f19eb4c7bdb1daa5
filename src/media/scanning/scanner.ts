/** What looks for malware in files. */
export interface Scanner {
  /** Kept beside each verdict. */
  readonly name: string;
  /** Of the program and its signatures: another text, other signatures. Rejects with ScannerFailed. `signal` ends it. */
  version(signal: AbortSignal): Promise<string>;
  /**
   * Reads a file, and says what was found: the name of a signature, or undefined for nothing. It may leave a rest unread. Rejects
   * with ScannerFailed, and with what `chunks` throws. `signal` ends it.
   */
  scan(chunks: AsyncIterable<Buffer>, signal: AbortSignal): Promise<string | undefined>;
}

/** No verdict came. */
export class ScannerFailed extends Error {
  override readonly name = 'ScannerFailed';
  /** It may give one on other files. */
  readonly isAboutFile: boolean;

  constructor(message: string, options: { readonly cause?: unknown; readonly isAboutFile?: boolean } = {}) {
    super(message, options);
    this.isAboutFile = options.isAboutFile === true;
  }
}
