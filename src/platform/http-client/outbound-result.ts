import { BlockedAddressError } from './guarded-connector.js';
import { HostNotFoundError } from './host-resolver.js';

/**
 * Why there is no response: `blocked_address` the address policy forbids it; `dns` the name does not resolve; `connect`
 * nothing listens there; `timeout` no whole response in time; `tls` no trusted encryption; `reset` the connection ended
 * early; `too_large` head or body of the response exceed their bound; `invalid_url`; `protocol` what was sent or came
 * back is not HTTP; `busy` too many requests wait for this origin, or too many origins are in use; `aborted` the caller's signal
 * or a closed client.
 */
export type FailureReason =
  | 'blocked_address'
  | 'dns'
  | 'connect'
  | 'timeout'
  | 'tls'
  | 'reset'
  | 'too_large'
  | 'invalid_url'
  | 'protocol'
  | 'busy'
  | 'aborted';

export interface OutboundResponse {
  readonly kind: 'response';
  /** Any final status; a redirect is not followed. */
  readonly status: number;
  /** By lower-case name. */
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Buffer;
  /** From the call to the end of the body. */
  readonly durationMs: number;
}

export interface OutboundFailure {
  readonly kind: 'failure';
  readonly reason: FailureReason;
  /** For people. */
  readonly message: string;
  readonly durationMs: number;
  /** Whether anything of the request may have left: where it is false, nobody has got it. */
  readonly mayHaveLeft: boolean;
}

export type OutboundResult = OutboundResponse | OutboundFailure;

const REASON_BY_CODE: Readonly<Record<string, FailureReason>> = {
  ECONNREFUSED: 'connect',
  EHOSTUNREACH: 'connect',
  ENETUNREACH: 'connect',
  EHOSTDOWN: 'connect',
  ENETDOWN: 'connect',
  EADDRNOTAVAIL: 'connect',
  EACCES: 'connect',
  EINVAL: 'connect',
  EMFILE: 'busy',
  ENFILE: 'busy',
  ECONNRESET: 'reset',
  ECONNABORTED: 'reset',
  EPIPE: 'reset',
  UND_ERR_SOCKET: 'reset',
  ETIMEDOUT: 'timeout',
  UND_ERR_CONNECT_TIMEOUT: 'timeout',
  UND_ERR_HEADERS_OVERFLOW: 'too_large',
  EPROTO: 'tls',
};

/** Node's and OpenSSL's names for failed handshakes and untrusted certificates. */
const TLS_CODE =
  /^(?:ERR_TLS_|ERR_SSL_|CERT_|UNABLE_TO_|.*SELF_SIGNED_CERT|.*CERTIFICATE|HOSTNAME_MISMATCH|INVALID_CA)/;

/** Translates what undici and Node report into a reason; what neither names is a breach of the protocol. */
export function failureReasonOf(error: Error): FailureReason {
  if (error instanceof BlockedAddressError) return 'blocked_address';
  if (error instanceof HostNotFoundError) return 'dns';
  const code = 'code' in error ? String(error.code) : '';
  if (TLS_CODE.test(code)) return 'tls';
  return REASON_BY_CODE[code] ?? 'protocol';
}
