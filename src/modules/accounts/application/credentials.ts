import { hash, randomBytes, timingSafeEqual } from 'node:crypto';

const AUTH_TOKEN_BYTES = 16;
const KEY_SECRET_BYTES = 24;

/** A new auth token: 32 random hexadecimal digits. */
export function newAuthToken(): string {
  return randomBytes(AUTH_TOKEN_BYTES).toString('hex');
}

/** A new API key secret: 32 random characters, 192 bits. */
export function newKeySecret(): string {
  return randomBytes(KEY_SECRET_BYTES).toString('base64url');
}

/** The SHA-256 of a secret. Enough where the secret is random and long: it cannot be guessed from its digest. */
export function digestOf(secret: string): Buffer {
  return hash('sha256', secret, 'buffer');
}

/** Whether a secret has this digest; takes as long when it has not. */
export function matches(secret: string, digest: Buffer): boolean {
  return timingSafeEqual(digestOf(secret), digest);
}

/** Where an account's sealed auth token belongs: see SecretBox. */
export function sealContext(accountSid: string): string {
  return `account:${accountSid}`;
}
