/** What is not as at Twilio, and why. */
export interface Difference {
  /** `ignored`: the answer is as without it. A number: the code that refuses it. */
  readonly outcome: 'ignored' | number;
  readonly because: string;
}

type ByParameter = Readonly<Record<string, Difference>>;

/** Operations that are refused whatever is asked. */
export const REFUSED: Readonly<Record<string, Difference>> = {
  'POST /2010-04-01/Accounts/{AccountSid}/IncomingPhoneNumbers.json': {
    outcome: 21422,
    because: 'numbers are not sold: the operator assigns them',
  },
  'GET /2010-04-01/Accounts/{AccountSid}/Messages/{MessageSid}/Media/{Sid}.json': {
    outcome: 20404,
    because: 'no message has media',
  },
  'DELETE /2010-04-01/Accounts/{AccountSid}/Messages/{MessageSid}/Media/{Sid}.json': {
    outcome: 20404,
    because: 'no message has media',
  },
};

const voice: Difference = { outcome: 'ignored', because: 'numbers take no calls' };
const papers: Difference = {
  outcome: 'ignored',
  because: 'addresses and permits of a number are between the operator and the carrier',
};
const outbound: Difference = { outcome: 'ignored', because: 'each message names its own StatusCallback' };
const content: Difference = { outcome: 'ignored', because: 'there are no templates: Body is what is sent' };
const media: Difference = { outcome: 'ignored', because: 'messages are text' };

/** Parameters that are ignored or refused, by operation. */
export const DIFFERENT: Readonly<Record<string, ByParameter>> = {
  'POST /2010-04-01/Accounts/{AccountSid}/IncomingPhoneNumbers/{Sid}.json': {
    SmsApplicationSid: { outcome: 'ignored', because: 'there are no applications: SmsUrl is asked' },
    StatusCallback: outbound,
    StatusCallbackMethod: outbound,
    VoiceApplicationSid: voice,
    VoiceCallerIdLookup: voice,
    VoiceFallbackMethod: voice,
    VoiceFallbackUrl: voice,
    VoiceMethod: voice,
    VoiceReceiveMode: voice,
    VoiceUrl: voice,
    TrunkSid: voice,
    EmergencyStatus: voice,
    EmergencyAddressSid: voice,
    IdentitySid: papers,
    AddressSid: papers,
    BundleSid: papers,
  },
  'GET /2010-04-01/Accounts/{AccountSid}/IncomingPhoneNumbers.json': {
    Beta: { outcome: 'ignored', because: 'no number is in beta' },
  },
  'POST /2010-04-01/Accounts/{AccountSid}/Messages.json': {
    ApplicationSid: { outcome: 'ignored', because: 'there are no applications: StatusCallback is called' },
    MaxPrice: { outcome: 'ignored', because: 'POST /v1/messages/preview tells the price before' },
    ProvideFeedback: { outcome: 'ignored', because: 'feedback is taken for every message' },
    Attempt: { outcome: 'ignored', because: 'it has no meaning for how a message is sent' },
    ForceDelivery: { outcome: 'ignored', because: 'every message is sent to any number that a route takes' },
    ContentRetention: { outcome: 'ignored', because: 'an update with an empty Body erases the text' },
    AddressRetention: { outcome: 'ignored', because: 'a deletion removes the message with its numbers' },
    PersistentAction: media,
    TrafficType: { outcome: 'ignored', because: 'MessageIntent chooses the lane' },
    ShortenUrls: { outcome: 'ignored', because: 'links are sent as they are' },
    SendAsMms: media,
    MediaUrl: { outcome: 20001, because: 'messages are text: a message that would lack its media is not sent' },
    ContentSid: content,
    ContentVariables: content,
    RiskCheck: { outcome: 'ignored', because: 'nothing is held back for its risk' },
    FallbackFrom: { outcome: 'ignored', because: 'a number that cannot send is refused at once' },
  },
};
