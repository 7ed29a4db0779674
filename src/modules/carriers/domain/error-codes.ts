/** Twilio's error codes of messages, as this product gives them for what a carrier says. */
export const UNKNOWN_ERROR = 30008;
export const VALIDITY_EXPIRED = 30036;

/** By command_status of a submit_sm_resp (SMPP 3.4, 5.1.3). */
const BY_STATUS: ReadonlyMap<number, number> = new Map([
  [0x0a, 30007], // invalid source address
  [0x0b, 30005], // invalid destination address
  [0x48, 30005], // invalid source address type
  [0x50, 30005], // invalid destination type
  [0x66, 30007], // the receiver refuses it for good
]);

const BY_STATE: Readonly<Record<string, number>> = {
  undelivered: 30003,
  expired: 30003,
  rejected: 30007,
  deleted: 30008,
};

/** The error code of a submission that a carrier refused for good. */
export function refusalCode(commandStatus: number): number {
  return BY_STATUS.get(commandStatus) ?? UNKNOWN_ERROR;
}

/** The error code of a receipt that is not a delivery: the carrier's own where it speaks Twilio's, else by its state. */
export function receiptCode(state: string, error: string | null): number {
  if (error !== null && /^30\d{3}$/.test(error)) return Number(error);
  return BY_STATE[state] ?? UNKNOWN_ERROR;
}
