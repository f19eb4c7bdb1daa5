/**
 * The part of a content of `sizeBytes` that a Range header asks for: from `start` up to and not including `end`. undefined: all of
 * it, also for other units than bytes, what cannot be read, and more than one range at once, which RFC 9110, 14.2 lets a
 * server ignore; those who want several parts ask several times. https://www.rfc-editor.org/rfc/rfc9110#section-14
 */
export function wantedRange(header: string | undefined, sizeBytes: number): WantedRange | 'unsatisfiable' | undefined {
  const [, first = '', last = ''] = /^bytes=[ \t]*(\d*)-(\d*)[ \t]*$/i.exec(header ?? '') ?? [];
  if (first === '' && last === '') return undefined;
  if (first === '') {
    const suffixBytes = Math.min(Number(last), sizeBytes);
    return suffixBytes === 0 ? 'unsatisfiable' : { start: sizeBytes - suffixBytes, end: sizeBytes };
  }
  const start = Number(first);
  const end = last === '' ? sizeBytes : Math.min(Number(last) + 1, sizeBytes);
  if (last !== '' && Number(last) < start) return undefined;
  return start >= sizeBytes ? 'unsatisfiable' : { start, end };
}

export interface WantedRange {
  readonly start: number;
  readonly end: number;
}
