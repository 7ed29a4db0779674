import { Body, Controller, Delete, Get, HttpCode, Param, Post, Query, Req } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import type { z } from 'zod';
import { CurrentPrincipal } from '../../../platform/http/decorators.js';
import { idPage, idPosition } from '../../../platform/http/twilio-list.js';
import { Failure } from '../../../shared/failure.js';
import { parsePhoneNumber } from '../../../shared/phone-number.js';
import type { Principal } from '../../../shared/principal.js';
import { ChangePhoneNumber } from '../application/change-phone-number.js';
import { ReadOwnNumbers } from '../application/read-own-numbers.js';
import { ReleasePhoneNumber } from '../application/release-phone-number.js';
import { presentTwilioNumber } from './twilio-accounts.presenters.js';
import { createNumberBody, listNumbersQuery, updateNumberBody } from './twilio-accounts.schemas.js';

const FILTERS = ['Beta', 'FriendlyName', 'PhoneNumber', 'Origin'];

/** The numbers of an account as Twilio's API has them. */
@Controller('2010-04-01/Accounts/:AccountSid')
export class TwilioNumbersController {
  constructor(
    private readonly numbers: ReadOwnNumbers,
    private readonly changeNumber: ChangePhoneNumber,
    private readonly releaseNumber: ReleasePhoneNumber,
  ) {}

  /** No number is for sale: the operator assigns them. So any that is asked for is not available. */
  @Post('IncomingPhoneNumbers.json')
  @HttpCode(201)
  create(@Body({ schema: createNumberBody }) body: z.infer<typeof createNumberBody>): never {
    if (body.PhoneNumber !== undefined && !parsePhoneNumber(body.PhoneNumber).ok) {
      throw new Failure('invalid_number', { field: 'PhoneNumber' });
    }
    throw new Failure('number_not_available', { field: body.PhoneNumber === undefined ? 'AreaCode' : 'PhoneNumber' });
  }

  @Get('IncomingPhoneNumbers.json')
  async list(
    @CurrentPrincipal() principal: Principal,
    @Query({ schema: listNumbersQuery }) query: z.infer<typeof listNumbersQuery>,
    @Req() request: FastifyRequest,
  ) {
    const { FriendlyName: friendlyName, PhoneNumber: part } = query;
    const filter = { ...(friendlyName === undefined ? {} : { friendlyName }), ...(part === undefined ? {} : { part }) };
    const from = idPosition(query);
    const isNone = query.Origin === 'twilio';
    const read = isNone ? [] : await this.numbers.page(principal.accountSid, filter, from, query.PageSize + 1);
    const { rows, envelope } = idPage(request.url, FILTERS, query, read);
    return { ...envelope, incoming_phone_numbers: rows.map(presentTwilioNumber) };
  }

  @Get('IncomingPhoneNumbers/:Sid.json')
  async fetch(@CurrentPrincipal() principal: Principal, @Param('Sid') sid: string) {
    return presentTwilioNumber(await this.numbers.one(principal.accountSid, sid));
  }

  @Post('IncomingPhoneNumbers/:Sid.json')
  @HttpCode(200)
  async update(
    @CurrentPrincipal() principal: Principal,
    @Param('Sid') sid: string,
    @Body({ schema: updateNumberBody }) body: z.infer<typeof updateNumberBody>,
  ) {
    const { FriendlyName, SmsUrl, SmsMethod, SmsFallbackUrl, SmsFallbackMethod, AccountSid } = body;
    if (AccountSid !== undefined && AccountSid !== principal.accountSid) {
      throw new Failure('invalid_parameter', {
        field: 'AccountSid',
        detail: "'AccountSid': the operator moves numbers between accounts",
      });
    }
    await this.changeNumber.change(principal.accountSid, sid, {
      ...(FriendlyName === undefined ? {} : { friendlyName: FriendlyName || null }),
      ...(SmsUrl === undefined ? {} : { smsUrl: SmsUrl }),
      ...(SmsMethod === undefined ? {} : { smsMethod: SmsMethod }),
      ...(SmsFallbackUrl === undefined ? {} : { smsFallbackUrl: SmsFallbackUrl }),
      ...(SmsFallbackMethod === undefined ? {} : { smsFallbackMethod: SmsFallbackMethod }),
    });
    return presentTwilioNumber(await this.numbers.one(principal.accountSid, sid));
  }

  /** Gives the number back to the operator. */
  @Delete('IncomingPhoneNumbers/:Sid.json')
  @HttpCode(204)
  async delete(@CurrentPrincipal() principal: Principal, @Param('Sid') sid: string): Promise<void> {
    await this.releaseNumber.release(principal.accountSid, sid);
  }
}
