import type { LookupAddress } from 'node:dns';
import { isIP, type LookupFunction } from 'node:net';
import { buildConnector } from 'undici';
import type { AddressPolicy } from './address-policy.js';
import type { HostResolver } from './host-resolver.js';

/** A connection that the address policy forbids. */
export class BlockedAddressError extends Error {}

/**
 * How undici opens sockets, so that none reaches an address that the policy forbids, whatever DNS answers and however
 * often it changes its mind: names resolve to allowed addresses only, a literal address (for which no lookup happens)
 * is judged before it is dialled, and the address that a socket did connect to is judged once more.
 */
export function guardedConnector(
  policy: AddressPolicy,
  resolver: HostResolver,
  connectTimeoutMs: number,
): buildConnector.connector {
  const connect = buildConnector({
    allowH2: false,
    timeout: connectTimeoutMs,
    autoSelectFamily: true,
    lookup: guardedLookup(policy, resolver),
  });
  return (options, callback) => {
    if (isIP(options.hostname) !== 0 && !policy.allows(options.hostname)) {
      callback(blocked(options.hostname), null);
      return;
    }
    connect(options, (...[error, socket]) => {
      if (error !== null) {
        callback(error, null);
      } else if (policy.allows(socket.remoteAddress ?? '')) {
        callback(null, socket);
      } else {
        socket.destroy();
        callback(blocked(socket.remoteAddress ?? options.hostname), null);
      }
    });
  };
}

function guardedLookup(policy: AddressPolicy, resolver: HostResolver): LookupFunction {
  return (hostname, options, callback) => {
    const answer = (addresses: readonly string[]): void => {
      const allowed = addresses.filter((address) => policy.allows(address)).map(withFamily);
      const [first] = allowed;
      if (first === undefined) callback(blocked(hostname), '');
      else if (options.all) callback(null, allowed);
      else callback(null, first.address, first.family);
    };
    resolver.resolve(hostname).then(answer, (error: Error) => callback(error, ''));
  };
}

function withFamily(address: string): LookupAddress {
  return { address, family: isIP(address) };
}

function blocked(host: string): BlockedAddressError {
  return new BlockedAddressError(`${host} is not a public address, nor in an allowed network`);
}
