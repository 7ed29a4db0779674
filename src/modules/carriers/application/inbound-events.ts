import type { NewEvent } from '../../../shared/define-event.js';
import { inboundReceived } from '../contract/carriers.events.js';
import type { InboundMessage } from '../domain/inbound.js';

/** A message came in: the one event of its stream. Whose it is, whoever owns the number knows. */
export function inboundEvent(message: InboundMessage): NewEvent {
  return {
    type: inboundReceived.type,
    streamId: message.id,
    version: 1,
    tenantId: null,
    data: {
      inboundId: message.id,
      carrier: message.carrier,
      from: message.from,
      to: message.to,
      segments: message.segments,
      receivedAt: new Date(message.receivedAtMs).toISOString(),
    },
  };
}
