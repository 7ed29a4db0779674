import { Inject, Injectable } from '@nestjs/common';
import { DatabaseClock } from '../../../platform/postgres/database-clock.js';
import { Failure } from '../../../shared/failure.js';
import { isAlphanumericSender, isShortCode, parsePhoneNumber } from '../../../shared/phone-number.js';
import type { Principal } from '../../../shared/principal.js';
import { parseSid } from '../../../shared/sid.js';
import { AccountsApi } from '../../accounts/contract/accounts.api.js';
import { CarriersApi } from '../../carriers/contract/carriers.api.js';
import { CallbackUrlPolicy } from '../domain/callback-url-policy.js';
import { parseSendAt, type Schedule } from '../domain/schedule.js';
import { countSegments } from '../domain/segments.js';
import { MAX_VALIDITY_SECONDS } from '../domain/service.js';
import { smartEncode } from '../domain/smart-encoding.js';
import { refuseTestRecipient, refuseTestSender } from '../domain/test-numbers.js';
import { ChooseSender } from './choose-sender.js';
import type { KnownService } from './service-directory.js';

/** The parameters of a create, as they came; a repeated one is an array. Unknown ones are ignored. */
export type SendRequest = Readonly<Record<string, string | readonly string[]>>;

/** What a request asks for, once it is certain that it can be carried. */
export interface ValidSend {
  readonly to: string;
  readonly from: string;
  readonly body: string;
  readonly encoding: 'GSM-7' | 'UCS-2';
  readonly segments: number;
  readonly queue: string;
  readonly callbackUrl: string | null;
  readonly validitySeconds: number;
  /** Id of the messaging service that it goes through. */
  readonly serviceId: string | null;
  /** Null: it is sent at once. */
  readonly schedule: Schedule | null;
  readonly intent: string | undefined;
}

/** Longest body, in UTF-16 units (Twilio's rule, error 21617). */
export const MAX_BODY_LENGTH = 1600;

/** Whether the process answers Twilio's test numbers as Twilio does with test credentials. */
export const TEST_NUMBERS = Symbol('test-numbers');

/** Checks a create in the order in which Twilio does, so that the first thing wrong is the one that is named. */
@Injectable()
export class ValidateSend {
  constructor(
    @Inject(AccountsApi) private readonly accounts: AccountsApi,
    @Inject(CarriersApi) private readonly carriers: CarriersApi,
    private readonly callbacks: CallbackUrlPolicy,
    @Inject(TEST_NUMBERS) private readonly testNumbers: boolean,
    private readonly senders: ChooseSender,
    private readonly clock: DatabaseClock,
  ) {}

  /** @throws Failure with the code of what is wrong, naming the parameter */
  async validate(principal: Principal, request: SendRequest): Promise<ValidSend> {
    requireAddresses(request);
    const serviceSid = serviceSidOf(request);
    const known = serviceSid === null ? null : await this.senders.service(principal.accountSid, serviceSid);
    const sendAt = scheduled(request, known !== null, this.clock.now());
    const content = this.content(request, known?.service.smartEncoding ?? false);
    const to = recipient(request);
    const asked = sender(request);
    if (this.testNumbers) {
      if (asked !== null) refuseTestSender(asked);
      refuseTestRecipient(to);
    }
    const callbackUrl = this.callback(request) ?? known?.service.statusCallback ?? null;
    const validitySeconds = validity(request) ?? known?.service.validityPeriod ?? MAX_VALIDITY_SECONDS;
    const from = known ? await this.senderOf(known, asked, to) : asked!;
    if (!known && !(await this.accounts.ownsNumber({ accountSid: principal.accountSid, phoneNumber: from }))) {
      throw new Failure('from_not_usable', { field: 'From' });
    }
    // It would come in again, and be answered.
    if (to === from) throw new Failure('to_is_from', { field: 'To' });
    const route = await this.carriers.route({ to });
    if (!route) throw new Failure('no_route', { field: 'To' });
    return {
      ...content,
      to,
      from,
      queue: route.queue,
      callbackUrl,
      validitySeconds,
      serviceId: known?.service.id ?? null,
      schedule: sendAt && { sendAt, isFromAsked: asked !== null },
      intent: text(request, 'MessageIntent'),
    };
  }

  /** The text of a request, encoded and counted. @throws Failure body_required, body_too_long, invalid_parameter */
  private content(request: SendRequest, smart: boolean): Pick<ValidSend, 'body' | 'encoding' | 'segments'> {
    if (request.MediaUrl !== undefined) {
      throw new Failure('invalid_parameter', { field: 'MediaUrl', detail: "'MediaUrl': media cannot be sent" });
    }
    const raw = text(request, 'Body');
    if (!raw) throw new Failure('body_required', { field: 'Body' });
    if (raw.length > MAX_BODY_LENGTH) throw new Failure('body_too_long', { field: 'Body' });
    const body = (flag(request, 'SmartEncoded') ?? smart) ? smartEncode(raw) : raw;
    const { encoding, segments } = countSegments(body);
    return { body, encoding, segments };
  }

  private async senderOf(known: KnownService, asked: string | null, to: string): Promise<string> {
    if (asked === null) return this.senders.sender(known, to);
    await this.senders.check(known, asked);
    return asked;
  }

  private callback(request: SendRequest): string | null {
    const url = text(request, 'StatusCallback');
    if (!url) return null;
    const refusal = this.callbacks.refusal(url);
    if (refusal) {
      throw new Failure('invalid_callback', { field: 'StatusCallback', detail: `'StatusCallback': ${refusal}` });
    }
    return url;
  }
}

function recipient(request: SendRequest): string {
  const parsed = parsePhoneNumber(text(request, 'To')!);
  if (parsed.ok) return parsed.e164;
  throw new Failure('invalid_to', { field: 'To' });
}

/** The sender that was asked for; null where the messaging service is to choose. */
function sender(request: SendRequest): string | null {
  const from = text(request, 'From');
  if (!from || isServiceSid(from)) return null;
  if (isShortCode(from) || isAlphanumericSender(from)) return from;
  const parsed = parsePhoneNumber(from);
  if (parsed.ok) return parsed.e164;
  throw new Failure('invalid_from', { field: 'From' });
}

/** The messaging service, which Twilio takes as `From` as well. */
function serviceSidOf(request: SendRequest): string | null {
  const sid = text(request, 'MessagingServiceSid');
  if (sid) return sid;
  const from = text(request, 'From')!;
  return isServiceSid(from) ? from : null;
}

function isServiceSid(text: string): boolean {
  return parseSid('MG', text) !== null;
}

/** When the message is to be sent; null: at once. */
function scheduled(request: SendRequest, hasService: boolean, nowMs: number): Date | null {
  const [type, sendAt] = [text(request, 'ScheduleType'), text(request, 'SendAt')];
  if (!type) {
    if (!sendAt) return null;
    const detail = "'SendAt' needs 'ScheduleType', which can only be fixed";
    throw new Failure('invalid_parameter', { field: 'ScheduleType', detail });
  }
  if (type !== 'fixed') throw new Failure('schedule_type_invalid', { field: 'ScheduleType' });
  if (!hasService) throw new Failure('schedule_needs_service', { field: 'MessagingServiceSid' });
  if (!sendAt) throw new Failure('send_at_required', { field: 'SendAt' });
  const at = parseSendAt(sendAt, nowMs);
  if (!at) throw new Failure('send_at_out_of_range', { field: 'SendAt' });
  return at;
}

function requireAddresses(request: SendRequest): void {
  if (!text(request, 'To')) throw new Failure('to_required', { field: 'To' });
  if (text(request, 'From') || text(request, 'MessagingServiceSid')) return;
  throw new Failure('from_required', { field: 'From' });
}

function validity(request: SendRequest): number | null {
  const given = text(request, 'ValidityPeriod');
  if (given === undefined || given === '') return null;
  const seconds = /^\d{1,5}$/.test(given) ? Number(given) : 0;
  if (seconds >= 1 && seconds <= MAX_VALIDITY_SECONDS) return seconds;
  throw new Failure('invalid_parameter', {
    field: 'ValidityPeriod',
    detail: `'ValidityPeriod' must be a whole number of seconds from 1 to ${MAX_VALIDITY_SECONDS}`,
  });
}

function flag(request: SendRequest, name: string): boolean | null {
  const given = text(request, name);
  if (given === undefined || given === '') return null;
  if (given.toLowerCase() === 'false') return false;
  if (given.toLowerCase() === 'true') return true;
  throw new Failure('invalid_parameter', { field: name, detail: `'${name}' must be true or false` });
}

function text(request: SendRequest, name: string): string | undefined {
  const value = request[name];
  if (value === undefined || typeof value === 'string') return value;
  throw new Failure('invalid_parameter', { field: name, detail: `'${name}' must be given once` });
}
