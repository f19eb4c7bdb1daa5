import { OperatorError } from '../operator-error.ts';
import type { Source } from './located.ts';

export interface Mistake {
  readonly source: Source;
  /** As in the file, with positions in lists: "listeners[0].port". Empty: the file as a whole. */
  readonly key: string;
  readonly message: string;
}

/** Every mistake that was found, one a line. */
export class ConfigError extends OperatorError {
  override readonly name = 'ConfigError';
  readonly mistakes: readonly Mistake[];

  constructor(mistakes: readonly Mistake[]) {
    super(mistakes.map(formatMistake).join('\n'));
    this.mistakes = mistakes;
  }
}

/** "config.yaml:12: listeners[0].port: must be …" */
export function formatMistake({ source, key, message }: Mistake): string {
  const place = source.line === undefined ? source.name : `${source.name}:${source.line}`;
  return key === '' ? `${place}: ${message}` : `${place}: ${key}: ${message}`;
}

/** The one of `known` that was probably meant. */
export function findSimilar(word: string, known: readonly string[]): string | undefined {
  let best: string | undefined;
  let bestDistance = Math.max(1, Math.min(3, Math.floor(word.length / 3))) + 1;
  for (const candidate of known) {
    const distance = editDistance(word, candidate);
    if (distance < bestDistance) [best, bestDistance] = [candidate, distance];
  }
  return best;
}

function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
