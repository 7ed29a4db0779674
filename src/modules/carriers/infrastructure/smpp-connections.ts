import { Inject, Injectable } from '@nestjs/common';
import { SecretBox } from '../../../platform/crypto/secret-box.js';
import { Logger } from '../../../platform/tokens.js';
import { type CarrierDefinition, sealContext } from '../domain/carrier.js';
import { type CarrierConnection, type ConnectionHandlers, Connections } from '../domain/carrier-connection.js';
import { SmppConnection } from './smpp-connection.js';

const ENQUIRE_LINK_MS = 30_000;
const BIND_TIMEOUT_MS = 30_000;
const RECONNECT = { baseMs: 200, maxMs: 10_000 };

/** Opens carriers over SMPP, with their passwords unsealed. */
@Injectable()
export class SmppConnections extends Connections {
  readonly responseTimeoutMs = 2_000;

  constructor(
    private readonly secrets: SecretBox,
    @Inject(Logger) private readonly logger: Logger,
  ) {
    super();
  }

  /** See Connections. @throws Error where SECRETS_KEY does not open the password */
  open(carrier: CarrierDefinition, handlers: ConnectionHandlers): CarrierConnection {
    const password = this.secrets.open(carrier.password, sealContext(carrier.name));
    const timings = {
      responseTimeoutMs: this.responseTimeoutMs,
      enquireLinkIntervalMs: ENQUIRE_LINK_MS,
      bindTimeoutMs: BIND_TIMEOUT_MS,
      reconnect: RECONNECT,
      random: Math.random,
    };
    return new SmppConnection(carrier, password, timings, handlers, this.logger);
  }
}
