import type { PublicUrl } from '../../../../platform/http/public-url.js';
import type { HttpDefinition, HttpSecrets } from '../../domain/http/definition.js';

/** Where a carrier is to send its receipts, without a token; null while this process does not know its own address. */
export function receiptsPath(base: string, carrier: string): string {
  return `${base}/v1/carriers/${carrier}/receipts`;
}

/** As receiptsPath, with the token where the carrier proves itself by one; null while the own address is not known. */
export function receiptUrl(
  publicUrl: Pick<PublicUrl, 'base'>,
  carrier: string,
  { receipts }: HttpDefinition,
  secrets: HttpSecrets,
): string | null {
  const base = publicUrl.base();
  // Before it listens, a process that takes any free port does not know which.
  if (base.endsWith(':0')) return null;
  const url = receiptsPath(base, carrier);
  if (receipts?.auth.kind !== 'token') return url;
  return `${url}?token=${encodeURIComponent(secrets[receipts.auth.secret] ?? '')}`;
}
