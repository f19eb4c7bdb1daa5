import { BlockList, isIPv4, isIPv6 } from 'node:net';

/** A set of IP addresses, given as CIDR ranges ("10.0.0.0/8", "fd00::/8") or single addresses. IPv4-mapped IPv6 addresses count as IPv4. */
export class AddressRanges {
  readonly #list = new BlockList();

  /** Throws RangeError for what is not a range. */
  constructor(ranges: readonly string[]) {
    for (const text of ranges) {
      const range = parseAddressRange(text);
      if (range === undefined) throw new RangeError(`${text} is not an address range`);
      this.#list.addSubnet(range.address, range.prefixLength, range.family);
    }
  }

  /** `address` may carry a zone ("fe80::1%eth0"). What is not an address is in no range. */
  has(address: string): boolean {
    const bare = withoutZone(address);
    if (isIPv4(bare)) return this.#list.check(bare, 'ipv4');
    return isIPv6(bare) && this.#list.check(bare, 'ipv6');
  }
}

export interface AddressRange {
  readonly address: string;
  readonly prefixLength: number;
  readonly family: 'ipv4' | 'ipv6';
}

/** "10.0.0.0/8" or a single address; undefined for anything else. */
export function parseAddressRange(text: string): AddressRange | undefined {
  const match = /^([0-9a-fA-F.:]+)(?:\/(\d{1,3}))?$/.exec(text);
  const address = match?.[1];
  if (address === undefined) return undefined;
  const family = isIPv4(address) ? 'ipv4' : isIPv6(address) ? 'ipv6' : undefined;
  if (family === undefined) return undefined;
  const bits = family === 'ipv4' ? 32 : 128;
  const prefixLength = match?.[2] === undefined ? bits : Number(match[2]);
  return prefixLength > bits ? undefined : { address, prefixLength, family };
}

/**
 * Whether an address is one of the public internet. False for private, loopback, link-local, multicast, documentation and
 * otherwise reserved ranges, so that a request made on someone else's behalf cannot reach what only this machine can reach.
 * https://www.iana.org/assignments/iana-ipv4-special-registry https://www.iana.org/assignments/iana-ipv6-special-registry
 */
export function isPublicAddress(address: string): boolean {
  const bare = withoutZone(address);
  if (isIPv4(bare)) return !notPublicIpv4.has(bare);
  if (!isIPv6(bare)) return false;
  const embedded = embeddedIpv4(bare);
  if (embedded !== undefined) return !notPublicIpv4.has(embedded);
  return globalUnicast.has(bare) && !notPublicIpv6.has(bare);
}

export const loopbackRanges: readonly string[] = ['127.0.0.0/8', '::1/128'];
const loopback = new AddressRanges(loopbackRanges);
export const isLoopbackAddress = (address: string): boolean => loopback.has(address);

const notPublicIpv4 = new AddressRanges([
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.0.2.0/24',
  '192.88.99.0/24',
  '192.168.0.0/16',
  '198.18.0.0/15',
  '198.51.100.0/24',
  '203.0.113.0/24',
  '224.0.0.0/4',
  '240.0.0.0/4',
]);
const globalUnicast = new AddressRanges(['2000::/3']);
const notPublicIpv6 = new AddressRanges(['2001::/23', '2001:db8::/32', '2002::/16', '3fff::/20']);
/** IPv4-mapped addresses, and those that a NAT64 gateway translates (RFC 6052). */
const ipv4Carriers = [new AddressRanges(['::ffff:0:0/96']), new AddressRanges(['64:ff9b::/96'])];

function embeddedIpv4(address: string): string | undefined {
  if (!ipv4Carriers.some((range) => range.has(address))) return undefined;
  const dotted = /(\d+\.\d+\.\d+\.\d+)$/.exec(address)?.[1];
  if (dotted !== undefined) return dotted;
  const groups = address.split(':').map((group) => Number.parseInt(group === '' ? '0' : group, 16));
  const [high = 0, low = 0] = groups.slice(-2);
  return [high >> 8, high & 255, low >> 8, low & 255].join('.');
}

function withoutZone(address: string): string {
  const at = address.indexOf('%');
  return at === -1 ? address : address.slice(0, at);
}
