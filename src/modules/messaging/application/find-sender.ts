import { Inject, Injectable } from '@nestjs/common';
import { Failure } from '../../../shared/failure.js';
import { isAlphanumericSender, isShortCode, parsePhoneNumber } from '../../../shared/phone-number.js';
import { parseSid, sidOf } from '../../../shared/sid.js';
import { AccountsApi } from '../../accounts/contract/accounts.api.js';
import { ServiceDirectory } from './service-directory.js';

/** What messages are sent from: a number of the account, or a service by its id. */
export interface Sender {
  readonly key: string;
  readonly serviceId: string | null;
}

/** Finds out which of an account's numbers or services a text names, in the one spelling in which it is kept. */
@Injectable()
export class FindSender {
  constructor(
    @Inject(AccountsApi) private readonly accounts: AccountsApi,
    private readonly services: ServiceDirectory,
  ) {}

  /** @throws Failure invalid_from, from_not_usable (another's number, or nobody's) */
  async number(accountId: string, text: string, field: string): Promise<Sender> {
    const parsed = parsePhoneNumber(text);
    const isOther = isShortCode(text) || isAlphanumericSender(text);
    if (!parsed.ok && !isOther) throw new Failure('invalid_from', { field });
    const phoneNumber = parsed.ok ? parsed.e164 : text;
    const owned = await this.accounts.ownsNumber({ accountSid: sidOf('AC', accountId), phoneNumber });
    if (!owned) throw new Failure('from_not_usable', { field });
    return { key: phoneNumber, serviceId: null };
  }

  /** @throws Failure service_not_found */
  async service(accountId: string, sid: string, field: string): Promise<Sender> {
    const id = parseSid('MG', sid);
    const known = id && (await this.services.service(accountId, id));
    if (!known) throw new Failure('service_not_found', { field });
    return { key: id, serviceId: id };
  }

  /** @throws Failure of `number` or of `service` */
  either(accountId: string, text: string, field: string): Promise<Sender> {
    return /^MG/i.test(text) && text.length === 34
      ? this.service(accountId, text, field)
      : this.number(accountId, text, field);
  }
}
