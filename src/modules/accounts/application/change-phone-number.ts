import { Injectable } from '@nestjs/common';
import { OutboundHttpClient } from '../../../platform/http-client/outbound-http-client.js';
import { Failure } from '../../../shared/failure.js';
import { parseSid, sidOf } from '../../../shared/sid.js';
import { phoneNumberChanged } from '../contract/accounts.events.js';
import { factOf } from '../domain/account.js';
import { AccountsRepository, type NumberChange } from '../infrastructure/accounts.repository.js';
import { AccountChanges } from './account-changes.js';

const REFUSALS = {
  too_long: 'the URL is too long',
  invalid: 'this is no valid URL',
  unsupported_scheme: 'the URL must begin with http:// or https://',
  blocked_address: 'the URL points into a network that webhooks may not reach',
} as const;

/** Changes what an account sets for a number of its own: its name, and who is asked about incoming messages. */
@Injectable()
export class ChangePhoneNumber {
  constructor(
    private readonly changes: AccountChanges,
    private readonly repository: AccountsRepository,
    private readonly http: OutboundHttpClient,
  ) {}

  /**
   * @throws Failure `not_found` when the account has no such number; `invalid_parameter` (`SmsUrl`, `SmsFallbackUrl`)
   *   for a URL that could never be asked
   */
  async change(accountSid: string, numberSid: string, change: NumberChange): Promise<void> {
    const id = parseSid('PN', numberSid);
    if (!id) throw new Failure('not_found');
    this.refuseUnreachable('SmsUrl', change.smsUrl);
    this.refuseUnreachable('SmsFallbackUrl', change.smsFallbackUrl);
    await this.changes.change(accountSid, async (account, tx) => {
      const changed = await this.repository.changeNumber(tx, account.id, id, change);
      if (!changed) throw new Failure('not_found');
      const accountSid = sidOf('AC', account.id);
      return { account, facts: [factOf(phoneNumberChanged, { accountSid, phoneNumber: changed.phoneNumber })] };
    });
  }

  private refuseUnreachable(field: string, url: string | null | undefined): void {
    const checked = url ? this.http.checkUrl(url) : null;
    if (checked === null || checked.ok) return;
    throw new Failure('invalid_parameter', { field, detail: `'${field}': ${REFUSALS[checked.reason]}` });
  }
}
