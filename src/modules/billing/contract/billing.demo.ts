/** What the demo account has in billing, which the development server makes at its first start. */
export abstract class BillingDemo {
  /**
   * Opens the demo account's ledger, credits it once, and makes general rates where there are none at all. The
   * account is active afterwards. May be called at every start.
   *
   * @param amountMicros credit in micro-units (10⁻⁶) of a US dollar
   * @param rates price of a segment in micro-units by prefix (`+` and digits, or empty for everywhere)
   */
  abstract ensureDemoBilling(input: {
    accountSid: string;
    amountMicros: number;
    rates: readonly { prefix: string; priceMicros: number }[];
  }): Promise<void>;
}
