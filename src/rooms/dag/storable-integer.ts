/** Old room versions let events carry floats and numbers of any size; a column for sorting holds the nearest safe integer. */
export function storableInteger(value: number): number {
  if (Number.isSafeInteger(value)) return value;
  if (Number.isNaN(value)) return 0;
  return Math.max(Number.MIN_SAFE_INTEGER, Math.min(Number.MAX_SAFE_INTEGER, Math.trunc(value)));
}
