import { Inject, Injectable } from '@nestjs/common';
import { Failure } from '../../../shared/failure.js';
import { isAlphanumericSender, isShortCode, parsePhoneNumber } from '../../../shared/phone-number.js';
import type { Principal } from '../../../shared/principal.js';
import { AccountsApi } from '../../accounts/contract/accounts.api.js';
import { CarriersApi } from '../../carriers/contract/carriers.api.js';
import { CallbackUrlPolicy } from '../domain/callback-url-policy.js';
import { countSegments } from '../domain/segments.js';
import { smartEncode } from '../domain/smart-encoding.js';
import { refuseTestRecipient, refuseTestSender } from '../domain/test-numbers.js';

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
  readonly intent: string | undefined;
}

/** Longest body, in UTF-16 units (Twilio's rule, error 21617). */
export const MAX_BODY_LENGTH = 1600;
const MAX_VALIDITY_SECONDS = 36_000;

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
  ) {}

  /** @throws Failure with the code of what is wrong, naming the parameter */
  async validate(principal: Principal, request: SendRequest): Promise<ValidSend> {
    const content = this.content(request);
    const to = recipient(request);
    const from = sender(request);
    if (this.testNumbers) {
      refuseTestSender(from);
      refuseTestRecipient(to);
    }
    const callbackUrl = this.callback(request);
    const validitySeconds = validity(request);
    const owned = await this.accounts.ownsNumber({ accountSid: principal.accountSid, phoneNumber: from });
    if (!owned) throw new Failure('from_not_usable', { field: 'From' });
    const route = await this.carriers.route({ to });
    if (!route) throw new Failure('no_route', { field: 'To' });
    return {
      ...content,
      to,
      from,
      queue: route.queue,
      callbackUrl,
      validitySeconds,
      intent: text(request, 'MessageIntent'),
    };
  }

  /** The text of a request, encoded and counted. @throws Failure body_required, body_too_long, invalid_parameter */
  content(request: SendRequest): Pick<ValidSend, 'body' | 'encoding' | 'segments'> {
    if (!text(request, 'To')) throw new Failure('to_required', { field: 'To' });
    if (!text(request, 'From') && !text(request, 'MessagingServiceSid')) {
      throw new Failure('from_required', { field: 'From' });
    }
    if (request.MediaUrl !== undefined) {
      throw new Failure('invalid_parameter', { field: 'MediaUrl', detail: "'MediaUrl': media cannot be sent" });
    }
    const raw = text(request, 'Body');
    if (!raw) throw new Failure('body_required', { field: 'Body' });
    if (raw.length > MAX_BODY_LENGTH) throw new Failure('body_too_long', { field: 'Body' });
    const body = flag(request, 'SmartEncoded') ? smartEncode(raw) : raw;
    const { encoding, segments } = countSegments(body);
    return { body, encoding, segments };
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

function sender(request: SendRequest): string {
  if (text(request, 'ScheduleType') !== undefined || text(request, 'SendAt') !== undefined) {
    throw new Failure('invalid_parameter', {
      field: 'ScheduleType',
      detail: "'ScheduleType': scheduling needs a messaging service",
    });
  }
  if (text(request, 'MessagingServiceSid')) throw new Failure('service_not_found', { field: 'MessagingServiceSid' });
  const from = text(request, 'From')!;
  if (isShortCode(from) || isAlphanumericSender(from)) return from;
  const parsed = parsePhoneNumber(from);
  if (parsed.ok) return parsed.e164;
  throw new Failure('invalid_from', { field: 'From' });
}

function validity(request: SendRequest): number {
  const given = text(request, 'ValidityPeriod');
  if (given === undefined || given === '') return MAX_VALIDITY_SECONDS;
  const seconds = /^\d{1,5}$/.test(given) ? Number(given) : 0;
  if (seconds >= 1 && seconds <= MAX_VALIDITY_SECONDS) return seconds;
  throw new Failure('invalid_parameter', {
    field: 'ValidityPeriod',
    detail: `'ValidityPeriod' must be a whole number of seconds from 1 to ${MAX_VALIDITY_SECONDS}`,
  });
}

function flag(request: SendRequest, name: string): boolean {
  const given = text(request, name);
  if (given === undefined || given === '' || given.toLowerCase() === 'false') return false;
  if (given.toLowerCase() === 'true') return true;
  throw new Failure('invalid_parameter', { field: name, detail: `'${name}' must be true or false` });
}

function text(request: SendRequest, name: string): string | undefined {
  const value = request[name];
  if (value === undefined || typeof value === 'string') return value;
  throw new Failure('invalid_parameter', { field: name, detail: `'${name}' must be given once` });
}
