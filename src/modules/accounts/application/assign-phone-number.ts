import { Injectable } from '@nestjs/common';
import { Failure } from '../../../shared/failure.js';
import { isShortCode, parsePhoneNumber } from '../../../shared/phone-number.js';
import { newId, sidOf } from '../../../shared/sid.js';
import { phoneNumberAssigned } from '../contract/accounts.events.js';
import { factOf } from '../domain/account.js';
import { AccountsQueries, type PhoneNumber } from '../infrastructure/accounts.queries.js';
import { AccountsRepository } from '../infrastructure/accounts.repository.js';
import { AccountChanges } from './account-changes.js';

/** Gives a phone number to an account, which may send from it then. */
@Injectable()
export class AssignPhoneNumber {
  constructor(
    private readonly changes: AccountChanges,
    private readonly repository: AccountsRepository,
    private readonly queries: AccountsQueries,
  ) {}

  /**
   * A number that the account has already stays as it is.
   *
   * @param input.phoneNumber international, or a short code
   * @param input.takeOver whether to take the number from another account; by default it is refused
   * @returns the number; it is compared and sent as E.164, or as the short code that it is
   * @throws Failure `invalid_parameter` (`phone_number`), `not_found`, `conflict`: another account's, or closed
   */
  async assign(input: { accountSid: string; phoneNumber: string; takeOver?: boolean }): Promise<PhoneNumber> {
    const phoneNumber = normalise(input.phoneNumber);
    await this.changes.change(input.accountSid, async (account, tx) => {
      if (account.status === 'closed') throw new Failure('conflict', { detail: 'the account is closed' });
      if (!(await this.repository.insertNumber(tx, newId(), account.id, phoneNumber))) {
        const owner = await this.repository.findOwner(tx, phoneNumber);
        if (owner?.id === account.id) return { account, facts: [] };
        // A closed account comes back no more, so what it had is free.
        if (!input.takeOver && owner?.status !== 'closed') {
          throw new Failure('conflict', { field: 'phone_number', detail: 'the number belongs to another account' });
        }
        await this.repository.moveNumber(tx, account.id, phoneNumber);
      }
      const accountSid = sidOf('AC', account.id);
      return { account, facts: [factOf(phoneNumberAssigned, { accountSid, phoneNumber })] };
    });
    const assigned = await this.queries.phoneNumber(phoneNumber);
    if (!assigned) throw new Error('an assigned number is not there');
    return assigned;
  }
}

function normalise(text: string): string {
  if (isShortCode(text)) return text;
  const parsed = parsePhoneNumber(text);
  if (parsed.ok) return parsed.e164;
  const detail = 'must be an international phone number, such as +15005550006, or a short code';
  throw new Failure('invalid_parameter', { field: 'phone_number', detail });
}
