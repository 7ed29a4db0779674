import { promises as dns } from 'node:dns';
import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';

export const LOOPBACK_ADDRESSES: readonly string[] = ['127.0.0.1', '::1'];

const HOSTS_FILE = process.platform === 'win32' ? 'C:\\Windows\\System32\\drivers\\etc\\hosts' : '/etc/hosts';
const QUERY_TIMEOUT_MS = 2_000;
const QUERY_TRIES = 2;
/** An answer may hold thousands of addresses; no honest host needs more attempts than this. */
const MAX_ADDRESSES = 8;

/** A host name that could not be resolved. */
export class HostNotFoundError extends Error {}

/** Whether a name means this machine whatever DNS says (RFC 6761, 6.3), with or without the trailing dot. */
export function isLocalhostName(hostname: string): boolean {
  return /^(?:.+\.)?localhost(?:\.localdomain)?\.?$/i.test(hostname);
}

/**
 * Resolves host names by DNS and the hosts file. The system's own resolver would do, but it occupies one of the few
 * threads that files and cryptography need too, for as long as a hostile name server likes.
 */
export class HostResolver {
  readonly #resolver = new dns.Resolver({ timeout: QUERY_TIMEOUT_MS, tries: QUERY_TRIES });
  readonly #hosts: ReadonlyMap<string, readonly string[]>;

  /** @param servers "address:port" of name servers; by default those of the system. */
  constructor(servers?: readonly string[]) {
    if (servers !== undefined) this.#resolver.setServers(servers);
    this.#hosts = readHostsFile();
  }

  /** The IPv4 and IPv6 addresses of a host, at least one. Throws HostNotFoundError. */
  async resolve(hostname: string): Promise<readonly string[]> {
    if (isLocalhostName(hostname)) return LOOPBACK_ADDRESSES;
    const known = this.#hosts.get(hostname.toLowerCase());
    if (known !== undefined) return known;
    const answers = await Promise.allSettled([this.#resolver.resolve4(hostname), this.#resolver.resolve6(hostname)]);
    const addresses = answers.flatMap((answer) => (answer.status === 'fulfilled' ? answer.value : []));
    if (addresses.length === 0) throw new HostNotFoundError(`${hostname} could not be resolved: ${failureOf(answers)}`);
    return addresses.slice(0, MAX_ADDRESSES);
  }

  /** Gives up on every question that is still open. */
  close(): void {
    this.#resolver.cancel();
  }
}

/** The addresses by lower-case name of a hosts file's text. */
export function parseHosts(text: string): Map<string, readonly string[]> {
  const hosts = new Map<string, readonly string[]>();
  for (const line of text.split('\n')) {
    const [address = '', ...names] = line.replace(/#.*/, '').trim().split(/\s+/);
    if (isIP(address) === 0) continue;
    for (const name of names) {
      const key = name.toLowerCase();
      hosts.set(key, [...(hosts.get(key) ?? []), address]);
    }
  }
  return hosts;
}

function readHostsFile(): ReadonlyMap<string, readonly string[]> {
  try {
    return parseHosts(readFileSync(HOSTS_FILE, 'utf8'));
  } catch {
    // A system without a hosts file has no names in it.
    return new Map();
  }
}

function failureOf(answers: ReadonlyArray<PromiseSettledResult<string[]>>): string {
  const codes = answers.flatMap((answer) => (answer.status === 'rejected' ? [codeOf(answer.reason)] : []));
  return codes.length === 0 ? 'no address' : [...new Set(codes)].join(', ');
}

function codeOf(reason: unknown): string {
  return reason instanceof Error && 'code' in reason ? String(reason.code) : String(reason);
}
