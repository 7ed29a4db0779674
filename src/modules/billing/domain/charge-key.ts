/** What a charge is known by: the SID of what is paid for, taken apart. */
export interface ChargeKey {
  readonly prefix: string;
  readonly id: string;
}

const KEY = /^[A-Z]{2}[0-9a-fA-F]{32}$/;

/** Two capital letters and 32 hexadecimal digits; null for anything else. */
export function parseChargeKey(text: string): ChargeKey | null {
  if (!KEY.test(text)) return null;
  const d = text.slice(2).toLowerCase();
  const id = `${d.slice(0, 8)}-${d.slice(8, 12)}-${d.slice(12, 16)}-${d.slice(16, 20)}-${d.slice(20)}`;
  return { prefix: text.slice(0, 2), id };
}

/** The SID that was taken apart. */
export function chargeKeyText(key: ChargeKey): string {
  return key.prefix + key.id.replaceAll('-', '');
}
