/** The demo account, which the development server makes at its first start. */
export abstract class AccountsDemo {
  /**
   * Opens the demo account with its number, or finds the one of an earlier start; it stays in provisioning until
   * billing has opened its ledger. An auth token that is given replaces another one.
   *
   * @param sid SID of the account; by default one that is the same at every start
   * @param authToken 32 letters and digits; by default one that is made at the first start
   */
  abstract openDemoAccount(input: {
    sid?: string;
    authToken?: string;
  }): Promise<{ sid: string; authToken: string; phoneNumberSid: string }>;
}
