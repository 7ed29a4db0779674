import type { AddressInfo } from 'node:net';

/** What the base is made from where no public URL is set. */
export interface ListenSettings {
  readonly publicUrl: string | undefined;
  readonly host: string;
  readonly port: number;
}

/** The base of the absolute URLs that the product hands out. */
export class PublicUrl {
  /**
   * @param settings where `publicUrl` is set, it is the answer
   * @param address the server's address while it listens: tells the port that was chosen for port 0
   */
  constructor(
    private readonly settings: ListenSettings,
    private readonly address: () => AddressInfo | string | null,
  ) {}

  /** Scheme, host, port and perhaps a path, without a slash at the end. */
  base(): string {
    const { publicUrl, host, port } = this.settings;
    if (publicUrl !== undefined) return publicUrl.replace(/\/+$/, '');
    const address = this.address();
    const boundPort = typeof address === 'object' && address !== null ? address.port : port;
    return `http://${reachableHost(host)}:${boundPort}`;
  }
}

/** "Every address" is none that a client can connect to. */
function reachableHost(host: string): string {
  if (host === '0.0.0.0' || host === '::') return 'localhost';
  return host.includes(':') ? `[${host}]` : host;
}
