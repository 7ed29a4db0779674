/** Decides at accept whether a callback URL can ever be called; names are looked up again when it is. */
export abstract class CallbackUrlPolicy {
  /** Why the URL is refused, in words for the customer; null when it is not. */
  abstract refusal(url: string): string | null;
}
