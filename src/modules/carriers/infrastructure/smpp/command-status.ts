/** The command_status values that this product gives or tells apart (SMPP 3.4, 5.1.3). */
export const CommandStatus = {
  ESME_ROK: 0x00,
  ESME_RINVMSGLEN: 0x01,
  ESME_RINVCMDLEN: 0x02,
  ESME_RINVCMDID: 0x03,
  ESME_RINVBNDSTS: 0x04,
  ESME_RALYBND: 0x05,
  ESME_RSYSERR: 0x08,
  ESME_RINVSRCADR: 0x0a,
  ESME_RINVDSTADR: 0x0b,
  ESME_RBINDFAIL: 0x0d,
  ESME_RINVPASWD: 0x0e,
  ESME_RINVSYSID: 0x0f,
  ESME_RMSGQFUL: 0x14,
  ESME_RINVSERTYP: 0x15,
  ESME_RSUBMITFAIL: 0x45,
  ESME_RINVSYSTYP: 0x53,
  ESME_RTHROTTLED: 0x58,
  ESME_RINVSCHED: 0x61,
  ESME_RINVEXPIRY: 0x62,
  ESME_RX_T_APPN: 0x64,
  ESME_RX_P_APPN: 0x65,
  ESME_RX_R_APPN: 0x66,
  ESME_RINVOPTPARSTREAM: 0xc0,
} as const;

const PLAIN_WORDS: ReadonlyMap<number, string> = new Map([
  [CommandStatus.ESME_ROK, 'no error'],
  [CommandStatus.ESME_RINVMSGLEN, 'invalid message length'],
  [CommandStatus.ESME_RINVCMDLEN, 'invalid command length'],
  [CommandStatus.ESME_RINVCMDID, 'unknown command'],
  [CommandStatus.ESME_RINVBNDSTS, 'command not allowed in this bind state'],
  [CommandStatus.ESME_RALYBND, 'already bound'],
  [CommandStatus.ESME_RSYSERR, 'system error'],
  [CommandStatus.ESME_RINVSRCADR, 'invalid source address'],
  [CommandStatus.ESME_RINVDSTADR, 'invalid destination address'],
  [CommandStatus.ESME_RBINDFAIL, 'bind failed'],
  [CommandStatus.ESME_RINVPASWD, 'invalid password'],
  [CommandStatus.ESME_RINVSYSID, 'invalid system id'],
  [CommandStatus.ESME_RMSGQFUL, 'message queue full'],
  [CommandStatus.ESME_RINVSERTYP, 'invalid service type'],
  [CommandStatus.ESME_RSUBMITFAIL, 'submit failed'],
  [CommandStatus.ESME_RINVSYSTYP, 'invalid system type'],
  [CommandStatus.ESME_RTHROTTLED, 'throttled'],
  [CommandStatus.ESME_RINVSCHED, 'invalid scheduled delivery time'],
  [CommandStatus.ESME_RINVEXPIRY, 'invalid validity period'],
  [CommandStatus.ESME_RX_T_APPN, 'temporary error of the receiver'],
  [CommandStatus.ESME_RX_P_APPN, 'permanent error of the receiver'],
  [CommandStatus.ESME_RX_R_APPN, 'rejected by the receiver'],
  [CommandStatus.ESME_RINVOPTPARSTREAM, 'invalid optional parameters'],
]);

/** A status in plain words with its number, such as "invalid password (0x0E)". */
export function describeStatus(commandStatus: number): string {
  const number = `0x${commandStatus.toString(16).toUpperCase().padStart(2, '0')}`;
  return `${PLAIN_WORDS.get(commandStatus) ?? 'an error of the carrier'} (${number})`;
}
