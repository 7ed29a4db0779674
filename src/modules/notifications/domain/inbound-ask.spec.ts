import { codeOf } from './ask-errors.js';
import { askedUrl, askForm, type InboundAsk, nextAsk } from './inbound-ask.js';

const ASK: InboundAsk = {
  kind: 'inbound',
  status: 'received',
  messageSid: 'SM1',
  accountSid: 'AC1',
  from: '+15551234567',
  to: '+15005550006',
  serviceSid: null,
  segments: 2,
  optOutType: null,
  primary: { url: 'https://a/', method: 'GET' },
  fallback: { url: 'https://b/', method: 'POST' },
  failed: null,
};
const LATER = { code: 11205, isPermanent: false };
const NEVER = { code: 11200, isPermanent: true };

describe('a round of asking', () => {
  it('goes from the primary URL to the fallback, which is told why', () => {
    const next = nextAsk(ASK, LATER);
    expect(next).toMatchObject({ isRoundOver: false, isPermanent: false });
    expect(askedUrl(next.ask)).toEqual(ASK.fallback);
    expect(askForm(next.ask, 'x')).toMatchObject({ ErrorCode: '11205', ErrorUrl: 'https://a/' });
  });

  it('is over after the fallback, and begins again with the primary URL', () => {
    const over = nextAsk(nextAsk(ASK, LATER).ask, LATER);
    expect(over).toEqual({ ask: ASK, isRoundOver: true, isPermanent: false });
    expect(askedUrl(over.ask)).toEqual(ASK.primary);
  });

  it('has no next one only where neither URL can ever succeed', () => {
    const rounds = [LATER, NEVER].flatMap((first) => [LATER, NEVER].map((second) => [first, second] as const));
    const ends = rounds.map(([first, second]) => nextAsk(nextAsk(ASK, first).ask, second).isPermanent);
    expect(ends).toEqual([false, false, false, true]);
  });

  it('is over at once where there is no fallback', () => {
    const lone = { ...ASK, fallback: null };
    expect(nextAsk(lone, NEVER)).toEqual({ ask: lone, isRoundOver: true, isPermanent: true });
    expect(nextAsk(lone, LATER)).toMatchObject({ isRoundOver: true, isPermanent: false });
  });
});

describe('the form', () => {
  it('has what Twilio’s has', () => {
    expect(askForm({ ...ASK, serviceSid: 'MG1', optOutType: 'STOP' }, 'Stop')).toEqual({
      AccountSid: 'AC1',
      ApiVersion: '2010-04-01',
      Body: 'Stop',
      From: '+15551234567',
      MessageSid: 'SM1',
      MessagingServiceSid: 'MG1',
      NumMedia: '0',
      NumSegments: '2',
      OptOutType: 'STOP',
      SmsMessageSid: 'SM1',
      SmsSid: 'SM1',
      SmsStatus: 'received',
      To: '+15005550006',
    });
  });
});

describe('the code of a failure', () => {
  it.each([
    [{ kind: 'response', status: 404, retryAfterMs: null } as const, 11200],
    [{ kind: 'failure', reason: 'timeout', permanent: false } as const, 11205],
    [{ kind: 'failure', reason: 'dns', permanent: false } as const, 11210],
    [{ kind: 'failure', reason: 'too_large', permanent: false } as const, 11750],
    [{ kind: 'failure', reason: 'x', permanent: true, code: 12100 } as const, 12100],
  ])('of %j is %i', (result, code) => {
    expect(codeOf(result)).toBe(code);
  });
});
