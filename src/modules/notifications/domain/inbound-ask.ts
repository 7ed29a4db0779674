export interface AskUrl {
  readonly url: string;
  readonly method: 'GET' | 'POST';
}

/**
 * An incoming message that a customer's webhook is asked about, as it is kept until it is asked: ids, numbers, codes; never
 * the text. A round asks the primary URL and, where that fails, the fallback.
 */
export interface InboundAsk {
  readonly kind: 'inbound';
  readonly status: 'received';
  readonly messageSid: string;
  readonly accountSid: string;
  readonly from: string;
  readonly to: string;
  readonly serviceSid: string | null;
  readonly segments: number;
  readonly optOutType: string | null;
  readonly primary: AskUrl;
  readonly fallback: AskUrl | null;
  /** How the primary URL failed in this round; null: it is the one to be asked. */
  readonly failed: { readonly url: string; readonly code: number; readonly isPermanent: boolean } | null;
}

/** The URL that is to be asked now. */
export function askedUrl(ask: InboundAsk): AskUrl {
  return ask.failed !== null && ask.fallback ? ask.fallback : ask.primary;
}

/** What follows a failed attempt: the fallback at once, or, where the round is over, the next round from the primary URL on. */
export interface NextAsk {
  readonly ask: InboundAsk;
  readonly isRoundOver: boolean;
  /** Whether no URL of the round can ever succeed. */
  readonly isPermanent: boolean;
}

export function nextAsk(ask: InboundAsk, failure: { readonly code: number; readonly isPermanent: boolean }): NextAsk {
  if (ask.failed === null && ask.fallback !== null) {
    const failed = { url: ask.primary.url, ...failure };
    return { ask: { ...ask, failed }, isRoundOver: false, isPermanent: false };
  }
  const isPermanent = failure.isPermanent && (ask.failed?.isPermanent ?? true);
  return { ask: { ...ask, failed: null }, isRoundOver: true, isPermanent };
}

/** The parameters that Twilio's API gives to the webhook of an incoming message. */
export function askForm(ask: InboundAsk, body: string): Record<string, string> {
  return {
    AccountSid: ask.accountSid,
    ApiVersion: '2010-04-01',
    Body: body,
    From: ask.from,
    MessageSid: ask.messageSid,
    NumMedia: '0',
    NumSegments: String(ask.segments),
    SmsMessageSid: ask.messageSid,
    SmsSid: ask.messageSid,
    SmsStatus: ask.status,
    To: ask.to,
    ...(ask.serviceSid === null ? {} : { MessagingServiceSid: ask.serviceSid }),
    ...(ask.optOutType === null ? {} : { OptOutType: ask.optOutType }),
    ...(ask.failed === null ? {} : { ErrorCode: String(ask.failed.code), ErrorUrl: ask.failed.url }),
  };
}
