import type { BindPdu, MessagePdu } from './pdu.js';
import type { Role } from './session-rules.js';

export interface SessionOptions {
  readonly role: Role;
  /** Most messages that wait for their answer at a time. */
  readonly window: number;
  /** How long a request waits for its answer, enquire_link included; measured to within an eighth. */
  readonly responseTimeoutMs: number;
  /** After that long without a PDU from the peer, ask whether it is there. */
  readonly enquireLinkIntervalMs: number;
  /** After that long without a PDU from the peer, the session is closed whatever the reason. */
  readonly inactivityTimeoutMs: number;
  /** How long a bind may take to be answered, and to an SMSC, how long a connection may stay without one. */
  readonly bindTimeoutMs: number;
  /** Most requests of the peer that are worked on at a time; above it, the socket is not read. */
  readonly maxInboundRequests: number;
  /** What a peer may announce as the length of a PDU. */
  readonly maxPduOctets: number;
}

/** Takes the answer to a request, once for each. */
export interface Responder {
  /** `id` is the message_id, or the system_id of a bind; without effect once the session is over. */
  respond(request: BindPdu | MessagePdu, commandStatus: number, id?: string): void;
}

export interface SessionHandlers {
  /** A bind, submit_sm or deliver_sm that is allowed in this state, to be answered now or later. */
  onRequest(request: BindPdu | MessagePdu, responder: Responder): void;
  /** The session is over and all its requests are settled. Called once. */
  onClose(reason: string): void;
}
