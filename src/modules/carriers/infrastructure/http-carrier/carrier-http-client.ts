import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { OutboundHttpClient } from '../../../../platform/http-client/outbound-http-client.js';

/**
 * Besides the public internet: what a carrier may stand in that the operator runs, or reaches by a tunnel. Link-local
 * addresses, where clouds keep their metadata, are not among them.
 */
const PRIVATE_CIDRS = [
  '127.0.0.0/8',
  '10.0.0.0/8',
  '172.16.0.0/12',
  '192.168.0.0/16',
  '100.64.0.0/10',
  '::1/128',
  'fc00::/7',
];
const TIMEOUT_MS = 8_000;
const RESPONSE_BYTES = 64 * 1024;
const HEADER_BYTES = 16 * 1024;
/** As large as a window can be: the links keep their own. */
const CONNECTIONS_PER_ORIGIN = 1_000;

/**
 * Outgoing HTTP to carriers. Their addresses are the operator's own configuration, as those of SMPP carriers are, and no
 * message can change them; so private ones are allowed here, whatever webhooks may reach.
 */
@Injectable()
export class CarrierHttpClient extends OutboundHttpClient implements OnApplicationShutdown {
  constructor() {
    super({
      allowedCidrs: PRIVATE_CIDRS,
      timeoutMs: TIMEOUT_MS,
      maxResponseBytes: RESPONSE_BYTES,
      maxHeaderBytes: HEADER_BYTES,
      connectionsPerOrigin: CONNECTIONS_PER_ORIGIN,
      userAgent: 'Trunkline/0.1',
    });
  }

  onApplicationShutdown(): Promise<void> {
    return this.close();
  }
}
