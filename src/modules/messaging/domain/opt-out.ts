/** How an opt-out came to be: by a recipient's own word, or by the customer's call. */
export type OptOutSource = 'keyword' | 'api';

/** One recipient, one sender from which it wants nothing. */
export interface OptOutKey {
  readonly accountId: string;
  /** E.164. */
  readonly recipient: string;
  /** A number, or the id of a messaging service: then it holds for whatever is sent through the service. */
  readonly sender: string;
  /** The service through which a number's opt-out came to be, and with which it goes; that service itself where it is the sender. */
  readonly serviceId: string | null;
}

export interface OptOut extends OptOutKey {
  readonly source: OptOutSource;
  readonly createdAt: Date;
}

/**
 * What a recipient opts out of with a word to a number: the number, and the service that it belongs to. Both, so that
 * nothing comes from that number without the service, nor from another number with it.
 */
export function optOutKeys(
  accountId: string,
  recipient: string,
  number: string,
  serviceId: string | null,
): OptOutKey[] {
  const own = { accountId, recipient, serviceId };
  return [{ ...own, sender: number }, ...(serviceId === null ? [] : [{ ...own, sender: serviceId }])];
}
