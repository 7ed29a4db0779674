import type { Logger } from '../../../platform/tokens.js';
import { type CarrierDefinition, smppOptionsOf } from '../domain/carrier.js';
import type { CarrierConnection, CarrierReceipt, Connections } from '../domain/carrier-connection.js';
import type { CarrierInbound } from '../domain/inbound.js';
import type { CarrierStatus } from '../domain/link-status.js';
import { CarrierLink, type LinkHandlers } from './carrier-link.js';

interface Opened {
  readonly link: CarrierLink;
  readonly connection: CarrierConnection;
  version: number;
}

export interface LinksHandlers {
  readonly link: LinkHandlers;
  /** Resolves when the receipt is durable. */
  onReceipt(receipt: CarrierReceipt): Promise<void>;
  /** Resolves when it is durable. */
  onInbound(inbound: CarrierInbound): Promise<void>;
  /** A link that was in the way of another has closed: follow() opens that one. */
  onClosed(): void;
  mayLead(): boolean;
}

/** The links of all carriers: one for each that is defined, opened anew when its definition changes. */
export class Links {
  private readonly open = new Map<string, Opened>();
  /** A carrier's new link waits for its old one, so that its window and its pace hold for both together. */
  private readonly closing = new Map<string, Promise<void>>();
  private readonly problems = new Map<string, string>();
  /** Of every carrier there is. */
  names: readonly string[] = [];

  constructor(
    private readonly connections: Connections,
    private readonly logger: Logger,
    private readonly handlers: LinksHandlers,
  ) {}

  get(name: string): CarrierLink | undefined {
    return this.open.get(name)?.link;
  }

  /** Closes the links of carriers that were changed, removed or disabled, and opens those that are missing. */
  follow(carriers: ReadonlyMap<string, CarrierDefinition>): void {
    this.names = [...carriers.keys()];
    this.problems.clear();
    for (const [name, opened] of this.open) {
      const carrier = carriers.get(name);
      if (carrier?.version === opened.version) continue;
      if (carrier && opened.connection.adopt?.(carrier)) opened.version = carrier.version;
      else this.close(name);
    }
    for (const carrier of carriers.values()) {
      if (carrier.state === 'disabled') this.problems.set(carrier.name, 'the carrier is disabled');
      else if (!this.open.has(carrier.name) && !this.closing.has(carrier.name)) this.tryOpen(carrier);
    }
  }

  status(): Map<string, CarrierStatus> {
    return new Map(
      this.names.map((name) => [
        name,
        this.get(name)?.status ?? { error: this.problems.get(name) ?? 'there is no session at present' },
      ]),
    );
  }

  /** Closes all links, in good order. */
  async stop(): Promise<void> {
    for (const name of [...this.open.keys()]) this.close(name);
    await Promise.all(this.closing.values());
  }

  private close(name: string): void {
    const { link } = this.open.get(name)!;
    this.open.delete(name);
    const closed = link
      .stop()
      .catch((error) => this.logger.error({ carrier: name, err: error }, 'the carrier was not closed in good order'))
      .then(() => {
        this.closing.delete(name);
        this.handlers.onClosed();
      });
    this.closing.set(name, closed);
  }

  /** One carrier that cannot be opened is no reason to leave the others. */
  private tryOpen(carrier: CarrierDefinition): void {
    try {
      this.start(carrier);
    } catch (error) {
      const problem = error instanceof Error ? error.message : String(error);
      this.problems.set(carrier.name, problem);
      this.logger.error({ carrier: carrier.name, err: error }, 'the carrier cannot be opened');
    }
  }

  private start(carrier: CarrierDefinition): void {
    const box: { link?: CarrierLink } = {};
    const connection = this.connections.open(carrier, {
      onReceipt: (receipt) => this.handlers.onReceipt(receipt),
      onInbound: (inbound) => this.handlers.onInbound(inbound),
      onState: () => box.link?.onState(),
    });
    const link = new CarrierLink(
      {
        name: carrier.name,
        windowSize: carrier.windowSize * smppOptionsOf(carrier).binds,
        tps: carrier.tps,
        responseTimeoutMs: connection.responseTimeoutMs ?? this.connections.responseTimeoutMs,
        takes: carrier.state === 'active',
      },
      connection,
      this.handlers.link,
      () => this.handlers.mayLead(),
    );
    box.link = link;
    this.open.set(carrier.name, { link, connection, version: carrier.version });
    link.start();
  }
}
