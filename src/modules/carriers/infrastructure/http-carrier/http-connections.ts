import { Inject, Injectable } from '@nestjs/common';
import { SecretBox } from '../../../../platform/crypto/secret-box.js';
import { PublicUrl } from '../../../../platform/http/public-url.js';
import { Logger } from '../../../../platform/tokens.js';
import type { CarrierDefinition } from '../../domain/carrier.js';
import type { CarrierConnection, ConnectionHandlers } from '../../domain/carrier-connection.js';
import { AnswerReader } from '../../domain/http/answer-reading.js';
import { expand } from '../../domain/http/twilio-preset.js';
import { CarrierHttpClient } from './carrier-http-client.js';
import { HttpCall } from './http-call.js';
import { openSecrets } from './http-carrier-secrets.js';
import { HttpConnection } from './http-connection.js';
import { receiptUrl } from './receipt-url.js';

const RECHECK = { baseMs: 200, maxMs: 10_000 };

/** Opens carriers over HTTP, with their secrets unsealed. */
@Injectable()
export class HttpConnections {
  constructor(
    private readonly secrets: SecretBox,
    private readonly http: CarrierHttpClient,
    private readonly publicUrl: PublicUrl,
    @Inject(Logger) private readonly logger: Logger,
  ) {}

  /** See Connections. @throws Error where SECRETS_KEY does not open the secrets */
  open(carrier: CarrierDefinition, handlers: ConnectionHandlers): CarrierConnection {
    const definition = expand(carrier.http!);
    const secrets = openSecrets(this.secrets, carrier);
    const options = {
      name: carrier.name,
      window: carrier.windowSize,
      responseTimeoutMs: definition.timeout_ms,
      recheck: RECHECK,
      checkIntervalMs: definition.check_interval_ms,
      receiptUrl: () => receiptUrl(this.publicUrl, carrier.name, definition, secrets),
      random: Math.random,
    };
    const call = new HttpCall(definition, secrets);
    return new HttpConnection(options, call, new AnswerReader(definition), this.http, handlers, this.logger);
  }
}
