import type { SecretBox } from '../../../../platform/crypto/secret-box.js';
import { type CarrierDefinition, sealContext } from '../../domain/carrier.js';
import type { HttpSecrets } from '../../domain/http/definition.js';

/** The secrets of an HTTP carrier as they are kept: in the place of an SMPP carrier's password. */
export function sealSecrets(box: SecretBox, carrier: string, secrets: HttpSecrets): Buffer {
  return box.seal(JSON.stringify(secrets), sealContext(carrier));
}

/** @throws Error where SECRETS_KEY does not open them */
export function openSecrets(
  box: SecretBox,
  { name, password }: Pick<CarrierDefinition, 'name' | 'password'>,
): HttpSecrets {
  return JSON.parse(box.open(password, sealContext(name))) as HttpSecrets;
}
