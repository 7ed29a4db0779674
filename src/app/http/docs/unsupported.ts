/** Resources of Twilio's API that this product does not have. */
export interface Unsupported {
  readonly resource: string;
  /** Paths that answer 404 (20404). */
  readonly paths: readonly string[];
  readonly instead: string;
}

const ACCOUNT = '/2010-04-01/Accounts/{AccountSid}';

/** What somebody may look for who knows Twilio's API of messages and accounts, and what serves in its place. */
export const UNSUPPORTED: readonly Unsupported[] = [
  {
    resource: 'AvailablePhoneNumbers',
    paths: [`${ACCOUNT}/AvailablePhoneNumbers.json`, `${ACCOUNT}/AvailablePhoneNumbers/US/Local.json`],
    instead: 'Numbers are not sold: the operator assigns them, and IncomingPhoneNumbers lists them.',
  },
  {
    resource: 'IncomingPhoneNumbers by kind',
    paths: [
      `${ACCOUNT}/IncomingPhoneNumbers/Local.json`,
      `${ACCOUNT}/IncomingPhoneNumbers/Mobile.json`,
      `${ACCOUNT}/IncomingPhoneNumbers/TollFree.json`,
    ],
    instead: 'IncomingPhoneNumbers, which lists numbers of every kind.',
  },
  {
    resource: 'SMS/ShortCodes',
    paths: [`${ACCOUNT}/SMS/ShortCodes.json`],
    instead: 'IncomingPhoneNumbers, which lists short codes too.',
  },
  {
    resource: 'SMS/Messages',
    paths: [`${ACCOUNT}/SMS/Messages.json`],
    instead: 'Messages.',
  },
  {
    resource: 'OutgoingCallerIds and ValidationRequests',
    paths: [`${ACCOUNT}/OutgoingCallerIds.json`],
    instead: 'A message goes out from a number that the account owns.',
  },
  {
    resource: 'SigningKeys',
    paths: [`${ACCOUNT}/SigningKeys.json`],
    instead: 'Keys.',
  },
  {
    resource: 'Tokens',
    paths: [`${ACCOUNT}/Tokens.json`],
    instead: 'Nothing: they are for calls.',
  },
  {
    resource: 'Applications, ConnectApps and AuthorizedConnectApps',
    paths: [`${ACCOUNT}/Applications.json`, `${ACCOUNT}/ConnectApps.json`, `${ACCOUNT}/AuthorizedConnectApps.json`],
    instead: 'URLs at the number (SmsUrl) and at the message (StatusCallback).',
  },
  {
    resource: 'Addresses',
    paths: [`${ACCOUNT}/Addresses.json`],
    instead: 'What a number needs is between the operator and the carrier.',
  },
  {
    resource: 'Usage/Triggers',
    paths: [`${ACCOUNT}/Usage/Triggers.json`],
    instead: 'GET /v1/balance, and the daily quota that the operator sets.',
  },
  {
    resource: 'Notifications',
    paths: [`${ACCOUNT}/Notifications.json`],
    instead: 'error_code of the message, and GET /v1/webhook-deliveries for callbacks that failed.',
  },
  {
    resource: 'Calls, Conferences, Queues, Recordings, Transcriptions, SIP',
    paths: [
      `${ACCOUNT}/Calls.json`,
      `${ACCOUNT}/Conferences.json`,
      `${ACCOUNT}/Queues.json`,
      `${ACCOUNT}/Recordings.json`,
      `${ACCOUNT}/Transcriptions.json`,
      `${ACCOUNT}/SIP/Domains.json`,
    ],
    instead: 'Nothing: this product sends messages and makes no calls.',
  },
  {
    resource: 'XML and CSV',
    paths: [`${ACCOUNT}/Messages`, `${ACCOUNT}/Messages.xml`, `${ACCOUNT}/Messages.csv`],
    instead: 'JSON, at the path that ends in .json.',
  },
  {
    resource: 'Services of messaging: AlphaSenders, ShortCodes, ChannelSenders, Compliance',
    paths: [
      '/v1/Services/MG00000000000000000000000000000000/AlphaSenders',
      '/v1/Services/MG00000000000000000000000000000000/ShortCodes',
      '/v1/Services/MG00000000000000000000000000000000/ChannelSenders',
      '/v1/Services/MG00000000000000000000000000000000/Compliance/Usa2p',
    ],
    instead: 'PhoneNumbers of the service; registrations are between the operator and the carriers.',
  },
  {
    resource: 'Deactivations, Tollfree verifications, LinkShortening',
    paths: ['/v1/Deactivations', '/v1/Tollfree/Verifications', '/v1/LinkShortening/Domains'],
    instead: 'Nothing: they are between the operator and the carriers.',
  },
];
