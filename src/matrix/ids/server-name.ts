/** https://spec.matrix.org/v1.19/appendices/#server-name */
import type { ServerName } from './ids.ts';

export interface ServerNameParts {
  /** A DNS name, an IPv4 literal, or an IPv6 literal in its square brackets. */
  readonly host: string;
  /** undefined: none was given. */
  readonly port: number | undefined;
  readonly isIpLiteral: boolean;
}

/**
 * Splits a server name. undefined: it is none. Stricter than the bare grammar where the prose is: labels of a DNS name are
 * not empty, an IPv6 literal is one, a port is at most 65535. A name such as 1.2.3.999 is a DNS name by the grammar.
 */
export function parseServerName(text: string): ServerNameParts | undefined {
  const match = shape.exec(text);
  if (match === null) return undefined;
  const [, ipv6, dnsOrIpv4, portText] = match;
  const port = portText === undefined ? undefined : Number(portText);
  if (port !== undefined && port > 65535) return undefined;
  if (ipv6 !== undefined) {
    return isIpv6Address(ipv6) ? { host: `[${ipv6}]`, port, isIpLiteral: true } : undefined;
  }
  const host = dnsOrIpv4 ?? '';
  if (host.length > 255) return undefined;
  return { host, port, isIpLiteral: isIpv4Address(host) };
}

export function isServerName(value: unknown): value is ServerName {
  return typeof value === 'string' && (isPlainDnsName(value) || parseServerName(value) !== undefined);
}

/** Four decimal numbers from 0 to 255 without leading zeros. */
export function isIpv4Address(text: string): boolean {
  return ipv4.test(text);
}

/** RFC 3513, section 2.2: eight groups of hexadecimal digits, one `::`, an IPv4 address in place of the last two groups. */
export function isIpv6Address(text: string): boolean {
  if (text.length < 2 || text.length > 45) return false;
  const halves = text.split('::');
  if (halves.length > 2) return false;
  const [before = '', after] = halves;
  if (after === undefined) return countGroups(before, true) === 8;
  const first = before === '' ? 0 : countGroups(before, false);
  const second = after === '' ? 0 : countGroups(after, true);
  return first !== undefined && second !== undefined && first + second <= 7;
}

const shape = /^(?:\[([0-9A-Fa-f:.]{2,45})\]|([0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*))(?::([0-9]{1,5}))?$/;
const plainDnsName = /^[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*$/;
const ipv4 = /^(?:(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(?:\.(?!$)|$)){4}$/;
const hexGroup = /^[0-9A-Fa-f]{1,4}$/;

function isPlainDnsName(text: string): boolean {
  return text.length <= 255 && plainDnsName.test(text);
}

/** How many 16-bit groups the text holds; undefined: it is not made of groups. */
function countGroups(text: string, ipv4Allowed: boolean): number | undefined {
  const groups = text.split(':');
  const last = groups.at(-1) ?? '';
  const endsInIpv4 = ipv4Allowed && last.includes('.');
  if (endsInIpv4 && !isIpv4Address(last)) return undefined;
  const hexGroups = endsInIpv4 ? groups.slice(0, -1) : groups;
  if (!hexGroups.every((group) => hexGroup.test(group))) return undefined;
  return hexGroups.length + (endsInIpv4 ? 2 : 0);
}
