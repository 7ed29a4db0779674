import { createCipheriv, createDecipheriv, createHash, hkdfSync, randomBytes } from 'node:crypto';

const ALGORITHM = 'aes-256-gcm';
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const KEY_ID_BYTES = 4;
const HEADER_BYTES = KEY_ID_BYTES + NONCE_BYTES + TAG_BYTES;

interface Key {
  readonly id: Buffer;
  readonly key: Buffer;
}

/**
 * Encrypts at rest what must be readable again (auth tokens that sign callbacks, carrier passwords): AES-256-GCM,
 * with the name of what is encrypted as associated data, so that a ciphertext cannot be moved to another row.
 *
 * `SECRETS_KEY` may hold several keys, separated by commas: the first encrypts, all decrypt. That is how it is
 * rotated: put the new key first, re-encrypt at leisure, drop the old one.
 */
export class SecretBox {
  private readonly keys: Key[];

  /** @throws Error naming SECRETS_KEY when a key is shorter than 32 characters */
  constructor(secretsKey: string) {
    const parts = secretsKey
      .split(',')
      .map((part) => part.trim())
      .filter((part) => part.length > 0);
    if (parts.length === 0 || parts.some((part) => part.length < 32)) {
      throw new Error('SECRETS_KEY must hold one or more keys of at least 32 characters, separated by commas');
    }
    this.keys = parts.map((part) => ({
      id: createHash('sha256').update(part).digest().subarray(0, KEY_ID_BYTES),
      key: Buffer.from(hkdfSync('sha256', part, 'trunkline', 'secret-box', 32)),
    }));
  }

  /** Encrypts `plain` for the place named `context`: key id, nonce, tag and ciphertext, in this order. */
  seal(plain: string, context: string): Buffer {
    const { id, key } = this.keys[0]!;
    const nonce = randomBytes(NONCE_BYTES);
    const cipher = createCipheriv(ALGORITHM, key, nonce, { authTagLength: TAG_BYTES });
    cipher.setAAD(Buffer.from(context));
    const sealed = Buffer.concat([cipher.update(plain, 'utf8'), cipher.final()]);
    return Buffer.concat([id, nonce, cipher.getAuthTag(), sealed]);
  }

  /** @throws Error naming the context, when no key fits, or the ciphertext was changed or moved */
  open(sealed: Uint8Array, context: string): string {
    const bytes = Buffer.from(sealed);
    const id = bytes.subarray(0, KEY_ID_BYTES);
    const key = this.keys.find((candidate) => candidate.id.equals(id));
    if (!key) throw new Error(`SECRETS_KEY holds no key that decrypts ${context}`);
    try {
      const nonce = bytes.subarray(KEY_ID_BYTES, KEY_ID_BYTES + NONCE_BYTES);
      // The length is fixed here: a shorter tag would be accepted, and guessed sooner.
      const decipher = createDecipheriv(ALGORITHM, key.key, nonce, { authTagLength: TAG_BYTES });
      decipher.setAAD(Buffer.from(context));
      decipher.setAuthTag(bytes.subarray(KEY_ID_BYTES + NONCE_BYTES, HEADER_BYTES));
      return Buffer.concat([decipher.update(bytes.subarray(HEADER_BYTES)), decipher.final()]).toString('utf8');
    } catch (error) {
      throw new Error(`what is encrypted of ${context} was changed or belongs elsewhere`, { cause: error });
    }
  }

  /** Whether it was sealed with a key that is no longer the first. */
  isStale(sealed: Uint8Array): boolean {
    return !Buffer.from(sealed).subarray(0, KEY_ID_BYTES).equals(this.keys[0]!.id);
  }
}
