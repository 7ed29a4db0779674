import { Injectable } from '@nestjs/common';
import type { CarrierDefinition } from '../domain/carrier.js';
import { type CarrierConnection, type ConnectionHandlers, Connections } from '../domain/carrier-connection.js';
import { HttpConnections } from './http-carrier/http-connections.js';
import { SmppConnections } from './smpp-connections.js';

/** Opens each carrier over what it speaks. */
@Injectable()
export class ConnectionsByType extends Connections {
  readonly responseTimeoutMs: number;

  constructor(
    private readonly smpp: SmppConnections,
    private readonly http: HttpConnections,
  ) {
    super();
    this.responseTimeoutMs = smpp.responseTimeoutMs;
  }

  /** See Connections. */
  open(carrier: CarrierDefinition, handlers: ConnectionHandlers): CarrierConnection {
    return carrier.type === 'http' ? this.http.open(carrier, handlers) : this.smpp.open(carrier, handlers);
  }
}
