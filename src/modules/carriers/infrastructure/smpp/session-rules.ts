import { CommandStatus } from './command-status.js';
import type { BindCommand, BindPdu, MessageCommand, MessagePdu, PduBody, RequestCommand } from './pdu.js';
import { NO_TLVS } from './tlv.js';

/** Which side of the session one is: `esme` sends submit_sm and takes deliver_sm, `smsc` the other way round. */
export type Role = 'esme' | 'smsc';

export function isMessage(request: BindPdu | MessagePdu): request is MessagePdu {
  return request.command === 'submit_sm' || request.command === 'deliver_sm';
}

export function isBind(command: RequestCommand): command is BindCommand {
  return command.startsWith('bind_');
}

/** Whether a session that is bound so carries that command (SMPP 3.4, 2.3). */
export function carries(bind: BindCommand, command: MessageCommand): boolean {
  return bind === 'bind_transceiver' || (bind === 'bind_receiver') === (command === 'deliver_sm');
}

/** Why this side may not act on a request of its peer, as the status to answer, or null where it may. */
export function requestRefusal(role: Role, bind: BindCommand | null, request: BindPdu | MessagePdu): number | null {
  if (!isMessage(request)) {
    if (role === 'esme') return CommandStatus.ESME_RINVBNDSTS;
    return bind === null ? null : CommandStatus.ESME_RALYBND;
  }
  const taken = role === 'esme' ? 'deliver_sm' : 'submit_sm';
  const allowed = request.command === taken && bind !== null && carries(bind, request.command);
  return allowed ? null : CommandStatus.ESME_RINVBNDSTS;
}

/** What a request that cannot be read is answered with: its own response, or generic_nack where it is unknown. */
export function refusalOf(command: RequestCommand | null): PduBody {
  switch (command) {
    case null:
      return { command: 'generic_nack' };
    case 'submit_sm':
    case 'deliver_sm':
      return { command: `${command}_resp`, messageId: '' };
    case 'unbind':
    case 'enquire_link':
      return { command: `${command}_resp` };
    default:
      return { command: `${command}_resp`, systemId: '', tlvs: NO_TLVS };
  }
}
