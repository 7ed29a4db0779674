/** What the demo account has in messaging, which the development server makes at its first start. */
export abstract class MessagingDemo {
  /**
   * Makes the demo account's messaging service, with a number of the account in its pool, once: one that was changed or
   * deleted later stays so. May be called at every start.
   *
   * @param phoneNumberSid PN SID of the number
   * @returns the service's SID
   */
  abstract ensureDemoService(input: { accountSid: string; phoneNumberSid: string }): Promise<{ serviceSid: string }>;
}
