import { Injectable } from '@nestjs/common';
import { Failure } from '../../../shared/failure.js';
import { parsePhoneNumber } from '../../../shared/phone-number.js';
import { parseSid } from '../../../shared/sid.js';
import type { OptOut } from '../domain/opt-out.js';
import { MessagingDatabase } from '../infrastructure/messaging.storage.js';
import { OptOutsRepository } from '../infrastructure/opt-outs.repository.js';
import { FindSender, type Sender } from './find-sender.js';

/** Which sender is meant: one of them. */
export interface SenderChoice {
  readonly from?: string | undefined;
  readonly messagingServiceSid?: string | undefined;
}

export interface OptOutPosition {
  readonly recipient: string;
  readonly sender: string;
}

/** A customer's own look at who has opted out, and its hand in it: for lists that come from elsewhere. */
@Injectable()
export class ManageOptOuts {
  constructor(
    private readonly optOuts: OptOutsRepository,
    private readonly senders: FindSender,
    private readonly db: MessagingDatabase,
  ) {}

  /** Adds one; one that is there stays as it is. @throws Failure invalid_to, and those of FindSender */
  async add(accountId: string, phoneNumber: string, choice: SenderChoice): Promise<OptOut> {
    const recipient = recipientOf(phoneNumber);
    const sender = await this.sender(accountId, choice);
    if (!sender) throw new Failure('from_required', { field: 'from' });
    const key = { accountId, recipient, sender: sender.key, serviceId: sender.serviceId };
    await this.optOuts.add(this.db.control, [key], 'api');
    const [found] = await this.list(accountId, { phoneNumber, ...choice }, null, 1);
    return found ?? { ...key, source: 'api', createdAt: new Date() };
  }

  /** Removes those of a recipient, of one sender or of all. @throws Failure invalid_to, not_found, and those of FindSender */
  async remove(accountId: string, phoneNumber: string, choice: SenderChoice): Promise<void> {
    const recipient = recipientOf(phoneNumber);
    // A sender that the account has no more can still be named.
    const key = choice.from ?? (choice.messagingServiceSid && (parseSid('MG', choice.messagingServiceSid) ?? ''));
    const senders = key === undefined ? null : [normal(key)];
    const removed = await this.optOuts.remove(this.db.control, accountId, recipient, senders);
    if (removed === 0) throw new Failure('not_found');
  }

  /** At most `limit`, by recipient and sender, from behind one. @throws Failure invalid_to, service_not_found */
  list(
    accountId: string,
    filter: { phoneNumber?: string | undefined } & SenderChoice,
    after: OptOutPosition | null,
    limit: number,
  ): Promise<OptOut[]> {
    const { phoneNumber, from, messagingServiceSid } = filter;
    const serviceId = messagingServiceSid === undefined ? undefined : parseSid('MG', messagingServiceSid);
    if (serviceId === null) throw new Failure('service_not_found', { field: 'messaging_service_sid' });
    const sender = from === undefined ? serviceId : normal(from);
    return this.optOuts.list(
      accountId,
      { ...(phoneNumber === undefined ? {} : { recipient: recipientOf(phoneNumber) }), ...(sender ? { sender } : {}) },
      after,
      limit,
    );
  }

  private async sender(accountId: string, choice: SenderChoice): Promise<Sender | null> {
    if (choice.from !== undefined) return this.senders.number(accountId, choice.from, 'from');
    if (choice.messagingServiceSid === undefined) return null;
    return this.senders.service(accountId, choice.messagingServiceSid, 'messaging_service_sid');
  }
}

function recipientOf(phoneNumber: string): string {
  const parsed = parsePhoneNumber(phoneNumber);
  if (parsed.ok) return parsed.e164;
  throw new Failure('invalid_to', { field: 'phone_number' });
}

function normal(sender: string): string {
  const parsed = parsePhoneNumber(sender);
  return parsed.ok ? parsed.e164 : sender;
}
