/**
 * Tokens of clients. `s<pos>`: everything up to a position of the stream, from /sync; `s<pos>.<pos>` where messages to the device
 * have been told up to another position only. `t<ord>`: a gap in one room's timeline, right before the event with that order
 * value, or the one that would stand there.
 */

/** Positions leave room for 1,024 order values each (docs/decisions: positions). */
const ordsPerPos = 1024;

/** `toDevicePos`: up to where the device has its messages. */
export function formatStreamToken(pos: number, toDevicePos: number): string {
  return toDevicePos === pos ? `s${pos}` : `s${pos}.${toDevicePos}`;
}
/** Of an answer that tells of rooms alone: the device has none of its messages from there. */
export function formatRoomsToken(pos: number): string {
  return formatStreamToken(pos, 0);
}
export interface StreamPosition {
  readonly pos: number;
  /** At most `pos`. */
  readonly toDevicePos: number;
}
/** undefined: not a token of /sync. */
export function parseStreamPosition(token: string): StreamPosition | undefined {
  const [, first = '', second = first] = /^s(\d{1,16})(?:\.(\d{1,16}))?$/.exec(token) ?? [];
  const [pos, toDevicePos] = [Number(first), Number(second)];
  return first === '' || !Number.isSafeInteger(pos) || toDevicePos > pos ? undefined : { pos, toDevicePos };
}
/** Of either form. undefined: not a token of /sync. */
export function parseStreamToken(token: string): number | undefined {
  return parseStreamPosition(token)?.pos;
}

/** Where a connection of sliding sync is: `s<pos>~<connection>.<serial>`. */
export interface SlidingPosition {
  readonly streamPos: number;
  readonly connection: number;
  readonly serial: number;
}

export function formatSlidingPosition({ streamPos, connection, serial }: SlidingPosition): string {
  return `s${streamPos}~${connection}.${serial}`;
}
/** undefined: not a position of sliding sync. */
export function parseSlidingPosition(token: string): SlidingPosition | undefined {
  const found = /^s(\d{1,15})~(\d{1,15})\.(\d{1,15})$/.exec(token);
  if (found === null) return undefined;
  const [streamPos, connection, serial] = found.slice(1).map(Number) as [number, number, number];
  return { streamPos, connection, serial };
}

/** Of /sync or sliding sync. undefined: neither. */
export function parseAnyPosition(token: string): number | undefined {
  return parseStreamToken(token) ?? parseSlidingPosition(token)?.streamPos;
}

export function formatTimelineToken(ord: number): string {
  return `t${ord}`;
}
/**
 * Any kind of token, positions of sliding sync included, as the order value right after the gap, at most a safe integer.
 * undefined: not a token.
 */
export function parseTimelineToken(token: string): number | undefined {
  const pos = parseAnyPosition(token);
  return pos === undefined ? numberAfter('t', token) : firstOrdAfter(pos);
}

/** The lowest order value of events that came in after a position. */
export function firstOrdAfter(pos: number): number {
  return Math.min((pos + 1) * ordsPerPos, Number.MAX_SAFE_INTEGER);
}

/** The position at which a live event of this order value came in. */
export function posAt(ord: number): number {
  return Math.floor(ord / ordsPerPos);
}

/** The last position before an order value: the state right before an event in the timeline is the one there. */
export function posBefore(ord: number): number {
  return Math.ceil(ord / ordsPerPos) - 1;
}

function numberAfter(prefix: string, token: string): number | undefined {
  if (!token.startsWith(prefix) || !/^-?\d{1,16}$/.test(token.slice(prefix.length))) return undefined;
  const number = Number(token.slice(prefix.length));
  return Number.isSafeInteger(number) ? number : undefined;
}
