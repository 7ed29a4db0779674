import { once } from 'node:events';
import net from 'node:net';

/** What the way between two programs does to what passes. */
export type Weather =
  | { readonly kind: 'fair' }
  | { readonly kind: 'latency'; readonly ms: number }
  /** Connections are cut with a reset, new ones too. */
  | { readonly kind: 'reset' }
  /** Nothing passes; what was on its way comes late, or never where the connection is cut when the weather clears. */
  | { readonly kind: 'silence'; readonly cutAfterwards: boolean }
  /** Requests arrive, and their answers are swallowed. */
  | { readonly kind: 'half-open' }
  /** Each connection is cut with a reset once so many octets passed. */
  | { readonly kind: 'close-after'; readonly octets: number };

const FAIR: Weather = { kind: 'fair' };
const MAX_CONNECTIONS = 2_000;

/** A TCP proxy that makes trouble on demand. */
export class FaultProxy {
  private readonly links = new Set<Link>();
  private weather: Weather = FAIR;

  private constructor(
    private readonly server: net.Server,
    private readonly target: () => number,
  ) {
    server.maxConnections = MAX_CONNECTIONS;
    server.on('connection', (socket) => this.open(socket));
    server.on('error', () => undefined);
  }

  /** @param target the port behind it on 127.0.0.1, asked for each connection */
  static async start(target: () => number): Promise<FaultProxy> {
    const server = net.createServer({ allowHalfOpen: true, noDelay: true });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new FaultProxy(server, target);
  }

  get port(): number {
    return (this.server.address() as net.AddressInfo).port;
  }

  /** Changes the weather for the connections that are open and those that come. */
  set(weather: Weather): void {
    const before = this.weather;
    this.weather = weather;
    for (const link of this.links) link.set(weather, before);
  }

  clear(): void {
    this.set(FAIR);
  }

  async stop(): Promise<void> {
    this.server.close();
    for (const link of this.links) link.cut();
    await once(this.server, 'close').catch(() => undefined);
  }

  private open(client: net.Socket): void {
    if (this.weather.kind === 'reset') {
      client.on('error', () => undefined);
      client.resetAndDestroy();
      return;
    }
    const server = net.connect({ port: this.target(), host: '127.0.0.1', allowHalfOpen: true, noDelay: true });
    const link: Link = new Link(client, server, this.weather, () => this.links.delete(link));
    this.links.add(link);
  }
}

/** One connection through the proxy. */
class Link {
  private left = Number.POSITIVE_INFINITY;
  private swallowed = false;
  private latencyMs = 0;

  constructor(
    private readonly client: net.Socket,
    private readonly server: net.Socket,
    private weather: Weather,
    private readonly onEnd: () => void,
  ) {
    this.carry(client, server, 'request');
    this.carry(server, client, 'answer');
    this.set(weather, FAIR);
  }

  set(weather: Weather, before: Weather): void {
    this.weather = weather;
    this.latencyMs = weather.kind === 'latency' ? weather.ms : 0;
    this.left = weather.kind === 'close-after' ? weather.octets : Number.POSITIVE_INFINITY;
    const isCut = before.kind === 'silence' && before.cutAfterwards && weather.kind !== 'silence';
    // A stream with a hole in it is of no use to anybody.
    if (weather.kind === 'reset' || isCut || this.swallowed) this.cut();
    else if (weather.kind === 'silence') this.hold();
    else this.goOn();
  }

  cut(): void {
    this.client.resetAndDestroy();
    this.server.resetAndDestroy();
    this.onEnd();
  }

  private hold(): void {
    this.client.pause();
    this.server.pause();
  }

  private goOn(): void {
    if (!this.server.writableNeedDrain) this.client.resume();
    if (!this.client.writableNeedDrain) this.server.resume();
  }

  private carry(from: net.Socket, to: net.Socket, direction: 'request' | 'answer'): void {
    const later = (step: () => void): void => {
      if (this.latencyMs === 0) step();
      else setTimeout(step, this.latencyMs);
    };
    from.on('data', (octets: Buffer) => {
      if (this.weather.kind === 'half-open' && direction === 'answer') {
        this.swallowed = true;
        return;
      }
      later(() => this.pass(octets, from, to));
    });
    to.on('drain', () => {
      if (this.weather.kind !== 'silence') from.resume();
    });
    from.on('end', () => later(() => to.end()));
    from.on('error', () => this.cut());
    from.on('close', () => {
      if (from.destroyed && !to.writableEnded) to.destroy();
      if (to.destroyed) this.onEnd();
    });
  }

  private pass(octets: Buffer, from: net.Socket, to: net.Socket): void {
    if (to.destroyed) return;
    if (octets.length > this.left) {
      to.write(octets.subarray(0, this.left), () => this.cut());
      this.left = 0;
      return;
    }
    this.left -= octets.length;
    if (!to.write(octets)) from.pause();
  }
}
