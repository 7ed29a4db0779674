import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';

type Address = ipaddr.IPv4 | ipaddr.IPv6;
type Network = [address: Address, prefixLength: number];

/** IPv6 hands out public addresses from here only; what lies outside can lead back inside (`::127.0.0.1`, NAT64). */
const GLOBAL_UNICAST_IPV6: Network = [ipaddr.IPv6.parse('2000::'), 3];

/**
 * Which addresses outgoing connections may reach: public unicast ones, and the networks that the operator allows.
 * Loopback, private, link-local (cloud metadata), shared, multicast, documentation and reserved addresses are refused,
 * and so are the transition forms that embed an IPv4 address (6to4, Teredo, NAT64, IPv4-compatible); an IPv4-mapped
 * IPv6 address is judged as the IPv4 address that it reaches.
 */
export class AddressPolicy {
  readonly #allowed: readonly Network[];

  /** @param allowedCidrs networks such as "10.0.0.0/8" or "fd00::/8"; an Error names the first that is none. */
  constructor(allowedCidrs: readonly string[]) {
    this.#allowed = allowedCidrs.map(parseNetwork);
  }

  /** Whether a connection to this address (IPv4 in dotted decimal, or IPv6) may be made. False if it is no address. */
  allows(address: string): boolean {
    if (isIP(address) === 0) return false;
    const parsed = ipaddr.process(address);
    return isPublic(parsed) || this.#allowed.some((network) => contains(network, parsed));
  }
}

function isPublic(address: Address): boolean {
  return address.range() === 'unicast' && (address.kind() === 'ipv4' || contains(GLOBAL_UNICAST_IPV6, address));
}

function contains(network: Network, address: Address): boolean {
  return network[0].kind() === address.kind() && address.match(network);
}

function parseNetwork(cidr: string): Network {
  const [address = '', prefixLength = '', ...rest] = cidr.split('/');
  const version = address.includes('%') ? 0 : isIP(address);
  const maxPrefixLength = version === 4 ? 32 : 128;
  if (version === 0 || rest.length > 0 || !/^\d{1,3}$/.test(prefixLength) || Number(prefixLength) > maxPrefixLength) {
    throw new Error(`"${cidr}" is not a network in CIDR notation, such as 10.0.0.0/8 or fd00::/8`);
  }
  const parsed = ipaddr.parse(address);
  if (parsed instanceof ipaddr.IPv6 && parsed.isIPv4MappedAddress()) {
    throw new Error(`"${cidr}" is an IPv4-mapped network: write it as IPv4, such as 10.0.0.0/8`);
  }
  return [parsed, Number(prefixLength)];
}
