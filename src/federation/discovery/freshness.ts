/**
 * For how long a response may be kept, in milliseconds, by Cache-Control or else Expires. undefined: it does not say.
 * https://www.rfc-editor.org/rfc/rfc9111#section-5.2.2
 */
export function freshMsOf(headers: Readonly<Record<string, string>>, nowMs: number): number | undefined {
  const directives = (headers['cache-control'] ?? '').toLowerCase().split(',');
  let maxAgeMs: number | undefined;
  for (const directive of directives) {
    const [name = '', value = ''] = directive.split('=').map((part) => part.trim());
    if (name === 'no-store' || name === 'no-cache') return 0;
    const seconds = value.replaceAll('"', '');
    if (name === 'max-age' && /^\d{1,10}$/.test(seconds)) maxAgeMs ??= Number(seconds) * 1000;
  }
  if (maxAgeMs !== undefined) return maxAgeMs;
  const { expires } = headers;
  if (expires === undefined) return undefined;
  const untilMs = Date.parse(expires);
  // What cannot be read, such as 0, means that it has expired.
  return Number.isNaN(untilMs) ? 0 : Math.max(0, untilMs - nowMs);
}
