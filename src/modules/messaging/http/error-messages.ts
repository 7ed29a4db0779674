/** What Twilio's error codes of messages mean, in this product's words. */
const MESSAGES: Readonly<Record<number, string>> = {
  20908: 'The message passed through too many instances: their routes form a loop',
  21211: 'The carrier takes the destination for no valid number',
  21606: 'The sender that was asked for is no longer owned by the account',
  21610: 'The recipient has opted out of messages from this sender',
  21612: 'There is no route to the recipient any more',
  21614: 'The destination cannot receive messages',
  21701: 'The messaging service was deleted before the message was sent',
  21703: 'The messaging service had no number that could send',
  21711: 'The sender that was asked for was no longer in the pool of the messaging service',
  30001: 'The queue of the account overflowed before the message was sent',
  30002: 'The account was suspended before the message was sent',
  30003: 'The destination handset is unreachable',
  30004: 'The message was blocked',
  30005: 'The destination is unknown or no longer exists',
  30006: 'The destination is a landline or cannot be reached by this carrier',
  30007: 'The carrier filtered the message',
  30008: 'Unknown error',
  30036: 'The validity period ended before the message was sent',
};

export function errorMessage(code: number): string {
  return MESSAGES[code] ?? 'The carrier reported an error';
}
