import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import twilio from 'twilio';
import { FaultProxy } from './fault-proxy.js';
import type { Listener } from './orders.js';
import type { Tenant } from './tenants.js';

/** What a customer's endpoint was told of one message, in the order in which it was told. */
export interface Told {
  readonly tenant: number;
  readonly statuses: { readonly status: string; readonly errorCode: string | null }[];
}

/**
 * The endpoints of all customers: they check every signature with Twilio's package and write down what they were told
 * before they answer. The product reaches them through a proxy.
 */
export class Receivers {
  readonly told = new Map<string, Told>();
  /** What must never come: a bad signature, another tenant's message. */
  readonly wrong: string[] = [];
  count = 0;
  /** Answers with 500 in place of 204 while it is set. */
  isFailing = false;
  private tenants: readonly Tenant[] = [];

  private constructor(
    private readonly server: Server,
    readonly proxy: FaultProxy,
  ) {
    server.on('request', (request, response) => this.receive(request, response));
  }

  static async start(): Promise<Receivers> {
    const server = createServer({ keepAliveTimeout: 60_000 });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    return new Receivers(server, await FaultProxy.start(() => port));
  }

  setTenants(tenants: readonly Tenant[]): void {
    this.tenants = tenants;
  }

  /** Where a tenant wants to be told. */
  url(tenant: Tenant, listener: Listener): string {
    return `${this.base}/${tenant.index}/${listener}`;
  }

  async stop(): Promise<void> {
    await this.proxy.stop();
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private get base(): string {
    return `http://127.0.0.1:${this.proxy.port}`;
  }

  private receive(request: IncomingMessage, response: ServerResponse): void {
    const chunks: Buffer[] = [];
    request.on('error', () => undefined);
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const path = request.url ?? '';
      const signature = String(request.headers['x-twilio-signature'] ?? '');
      this.record(path, signature, Object.fromEntries(new URLSearchParams(Buffer.concat(chunks).toString('utf8'))));
      response.writeHead(path.endsWith('/gone') ? 410 : this.isFailing ? 500 : 204).end();
    });
  }

  private record(path: string, signature: string, params: Record<string, string>): void {
    const tenant = this.tenants[Number(path.split('/')[1])];
    const { MessageSid: sid = '', MessageStatus: status = '', ErrorCode: errorCode = null } = params;
    this.count += 1;
    if (!tenant || !twilio.validateRequest(tenant.token, signature, this.base + path, params)) {
      this.wrong.push(`${path} was told of ${sid} with a signature that is not valid`);
      return;
    }
    if (params.AccountSid !== tenant.sid)
      this.wrong.push(`${path} was told of ${sid}, which is ${params.AccountSid}'s`);
    const told = this.told.get(sid) ?? { tenant: tenant.index, statuses: [] };
    if (told.tenant !== tenant.index)
      this.wrong.push(`${sid} was told to the tenants ${told.tenant} and ${tenant.index}`);
    told.statuses.push({ status, errorCode });
    this.told.set(sid, told);
  }
}
