import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import { type FormParams, twilioSignature } from '../../../../shared/twilio-signature.js';
import type { ReceiptAuth } from './definition.js';

/** What of a request tells who sent it. */
export interface ReceiptProof {
  /** The URL that the carrier was given, without a token. */
  readonly url: string;
  /** `token` of the query; null where there is none, or more than one. */
  readonly token: string | null;
  /** A header's value by its lower-case name; null where there is none, or more than one. */
  header(name: string): string | null;
  /** As it came. */
  readonly body: Buffer;
  /** Whether a signature can cover what is read: not where that is a query, which none of them is made of. */
  readonly isSigned: boolean;
  /** The body's fields where it is a form; null where it is none. */
  form(): FormParams | null;
}

/** Whether a request with receipts comes from the carrier; takes the same time for every wrong secret of a kind. */
export function isAuthentic(auth: ReceiptAuth, secret: string, proof: ReceiptProof): boolean {
  switch (auth.kind) {
    case 'token':
      return isSame(proof.token, secret);
    case 'header':
      return isSame(proof.header(auth.name.toLowerCase()), secret);
    case 'hmac': {
      if (!proof.isSigned) return false;
      const mac = createHmac(auth.algorithm, secret).update(proof.body).digest(auth.encoding);
      const given = proof.header(auth.name.toLowerCase());
      return isSame(auth.encoding === 'hex' ? (given?.toLowerCase() ?? null) : given, hexSafe(auth, mac));
    }
    case 'twilio': {
      const form = proof.form();
      return (
        proof.isSigned &&
        form !== null &&
        isSame(proof.header('x-twilio-signature'), twilioSignature(secret, proof.url, form))
      );
    }
  }
}

function hexSafe(auth: Extract<ReceiptAuth, { kind: 'hmac' }>, mac: string): string {
  return auth.encoding === 'hex' ? (auth.prefix + mac).toLowerCase() : auth.prefix + mac;
}

/** Digests have one length, which tells nothing of the secret's. */
function isSame(given: string | null, expected: string): boolean {
  return given !== null && timingSafeEqual(digest(given), digest(expected));
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
