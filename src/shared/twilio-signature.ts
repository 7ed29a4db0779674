import { createHash, createHmac } from 'node:crypto';

/** A form's fields; a repeated field has an array. */
export type FormParams = Readonly<Record<string, string | readonly string[]>>;

/**
 * The `X-Twilio-Signature` of a form POST or a GET: base64 of HMAC-SHA1 over the URL and each field's name and value,
 * names ascending; a repeated field counts once per different value, ascending (Twilio, "Validating Signatures").
 * @param url exactly as it is requested, query string included
 */
export function twilioSignature(authToken: string, url: string, params: FormParams): string {
  let signed = url;
  for (const name of Object.keys(params).sort()) {
    const value = params[name] ?? '';
    if (typeof value === 'string') signed += name + value;
    else for (const item of [...new Set(value)].sort()) signed += name + item;
  }
  return createHmac('sha1', authToken).update(signed, 'utf8').digest('base64');
}

/**
 * The signature of a POST whose body is no form: the body's SHA-256 goes into the URL as `bodySHA256`, and the URL alone
 * is signed.
 * @param url without a fragment
 * @param body exactly as it is sent
 * @returns the URL to request instead, and the signature
 */
export function twilioBodySignature(authToken: string, url: string, body: string): { url: string; signature: string } {
  const bodySha256 = createHash('sha256').update(body, 'utf8').digest('hex');
  const signedUrl = `${url}${url.includes('?') ? '&' : '?'}bodySHA256=${bodySha256}`;
  return { url: signedUrl, signature: twilioSignature(authToken, signedUrl, {}) };
}
