/** Of looking for malware in files: a part of limits.ts. */
export const scanLimits = {
  scansAtOnceMax: 4,
  scansWaitingMax: 200,
  /** Of files that were uploaded just now and that nobody wants to read yet: at once, and waiting. The others are scanned when somebody does. */
  scansAheadMax: 2,
  scansAheadWaitingMax: 1_000,
  /** Encrypted files of one user, or of one address where nobody is logged in: at once, and waiting. */
  scansPerCallerMax: 2,
  scansPerCallerWaitingMax: 50,
  /** Of one encrypted content, with as many keys; there is one that is right. */
  scanVerdictsPerContentMax: 8,
  /** Contents of which it is remembered that nothing was found. */
  cleanContentsMax: 50_000,
  /** After a scan without an answer the scanner is left alone for so long. */
  scannerPauseMs: 5_000,
  /** For so long it is remembered of a file that the scanner gave no verdict on it alone. */
  scanFailureMs: 600_000,
  scanFailuresMax: 2_000,
  /** How often the scanner is asked for its version at most, and how long that may take. */
  scannerVersionMs: 600_000,
  scannerVersionTimeoutMs: 10_000,
  scanFindingCharactersMax: 200,
  /** URIs of one content that the log or an administrator is told. */
  findingUrisMax: 20,
} as const;
