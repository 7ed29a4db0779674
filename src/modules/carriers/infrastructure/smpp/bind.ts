import net from 'node:net';
import tls from 'node:tls';
import { connectionProblem } from '../../domain/connection-problem.js';
import { CommandStatus, describeStatus } from './command-status.js';
import { DEFAULT_MAX_PDU_OCTETS } from './framer.js';
import type { RequestOutcome } from './outstanding.js';
import { type BindCommand, INTERFACE_VERSION } from './pdu.js';
import { SmppSession } from './session.js';
import type { SessionHandlers } from './session-options.js';

export interface BindOptions {
  readonly host: string;
  readonly port: number;
  readonly tls: boolean;
  readonly systemId: string;
  readonly password: string;
  readonly systemType: string;
  readonly window: number;
  readonly responseTimeoutMs: number;
  readonly enquireLinkIntervalMs: number;
  readonly inactivityTimeoutMs: number;
  readonly bindTimeoutMs: number;
  readonly maxInboundRequests: number;
  readonly isFatal: (commandStatus: number) => boolean;
}

/** Why there is no bind, in plain words; `fatal` where trying again will not help before somebody acts. */
export class BindFailure extends Error {
  constructor(
    message: string,
    readonly fatal = false,
  ) {
    super(message);
    this.name = 'BindFailure';
  }
}

/**
 * Connects to an SMSC and binds, within bindTimeoutMs for each of the two. Rejects with BindFailure, nothing left open
 * and onClose not called. onRequest may be called before it resolves: an SMSC delivers as soon as it took the bind.
 */
export async function openBind(
  command: BindCommand,
  options: BindOptions,
  handlers: SessionHandlers,
  signal: AbortSignal,
): Promise<SmppSession> {
  const socket = await connect(options, signal);
  let bound = false;
  let closeReason = '';
  const session = new SmppSession(
    socket,
    { ...options, role: 'esme', maxPduOctets: DEFAULT_MAX_PDU_OCTETS },
    {
      onRequest: (request, responder) => handlers.onRequest(request, responder),
      onClose: (reason) => {
        closeReason = reason;
        if (bound) handlers.onClose(reason);
      },
    },
  );
  const abort = (): void => session.destroy('the bind was given up');
  signal.addEventListener('abort', abort, { once: true });
  const outcome = await requestBind(session, command, options);
  signal.removeEventListener('abort', abort);
  bound = session.bind !== null;
  if (bound) return session;
  session.destroy('not bound');
  throw refusal(outcome, closeReason, options);
}

function requestBind(session: SmppSession, command: BindCommand, options: BindOptions): Promise<RequestOutcome> {
  const { promise, resolve } = Promise.withResolvers<RequestOutcome>();
  const { systemId, password, systemType } = options;
  const address = { addressTon: 0, addressNpi: 0, addressRange: '' };
  session.sendBind(
    { command, systemId, password, systemType, interfaceVersion: INTERFACE_VERSION, ...address },
    resolve,
  );
  return promise;
}

function refusal(outcome: RequestOutcome, closeReason: string, { isFatal }: BindOptions): BindFailure {
  if (outcome.kind === 'unsent') return new BindFailure(`the bind could not be sent: ${outcome.reason}`);
  if (outcome.kind === 'unknown' && outcome.reason === 'timeout') {
    return new BindFailure('the carrier did not answer the bind in time');
  }
  if (outcome.kind === 'unknown' || outcome.commandStatus === CommandStatus.ESME_ROK) {
    return new BindFailure(`the session ended during the bind: ${closeReason}`);
  }
  const { commandStatus } = outcome;
  return new BindFailure(`the carrier refused the bind: ${describeStatus(commandStatus)}`, isFatal(commandStatus));
}

/** An open connection, TLS handshake included. */
function connect(options: BindOptions, signal: AbortSignal): Promise<net.Socket> {
  const { host, port, bindTimeoutMs } = options;
  const { promise, resolve, reject } = Promise.withResolvers<net.Socket>();
  const target = { host, port, servername: net.isIP(host) === 0 ? host : '' };
  const socket = options.tls ? tls.connect(target) : net.connect(target);
  const fail = (problem: string): void => {
    socket.destroy();
    reject(new BindFailure(`cannot connect to ${host}:${port}: ${problem}`));
  };
  const end = AbortSignal.any([signal, AbortSignal.timeout(bindTimeoutMs)]);
  const onEnd = (): void => fail(signal.aborted ? 'given up' : `no connection within ${bindTimeoutMs} ms`);
  if (end.aborted) onEnd();
  end.addEventListener('abort', onEnd);
  socket.once('error', (error: NodeJS.ErrnoException) => fail(connectionProblem(error.code ?? error.message)));
  socket.once(options.tls ? 'secureConnect' : 'connect', () => {
    end.removeEventListener('abort', onEnd);
    resolve(socket);
  });
  return promise;
}
