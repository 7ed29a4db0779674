/** What a status callback tells, as it is kept until it is sent: ids, numbers, codes; never the text. */
export interface StatusCallback {
  /** Rows of before there were others have none. */
  readonly kind?: 'status';
  readonly messageSid: string;
  readonly accountSid: string;
  readonly status: string;
  readonly from: string;
  readonly to: string;
  readonly serviceSid: string | null;
  readonly errorCode: number | null;
  /** YYMMDDhhmm, as the carrier wrote it, or by our clock where it wrote none; only for what was (un)delivered. */
  readonly doneDate: string | null;
}

/** An instant as receipts write it: YYMMDDhhmm, UTC. */
export function receiptDate(at: Date): string {
  return at.toISOString().slice(2, 16).replace(/[-T:]/g, '');
}

/** The parameters of the form that Twilio's API posts for a change of status. */
export function callbackForm(callback: StatusCallback): Record<string, string> {
  return {
    AccountSid: callback.accountSid,
    ApiVersion: '2010-04-01',
    From: callback.from,
    MessageSid: callback.messageSid,
    MessageStatus: callback.status,
    SmsSid: callback.messageSid,
    SmsStatus: callback.status,
    To: callback.to,
    ...(callback.serviceSid === null ? {} : { MessagingServiceSid: callback.serviceSid }),
    ...(callback.errorCode === null ? {} : { ErrorCode: String(callback.errorCode) }),
    ...(callback.doneDate === null ? {} : { RawDlrDoneDate: callback.doneDate }),
  };
}
