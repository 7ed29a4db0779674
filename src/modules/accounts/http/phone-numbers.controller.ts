import { Body, Controller, Get, Param, Post, Query } from '@nestjs/common';
import type { z } from 'zod';
import { OperatorOnly } from '../../../platform/http/decorators.js';
import { nativePage, pageQuerySchema } from '../../../platform/http/page.js';
import { sidOf } from '../../../shared/sid.js';
import { AssignPhoneNumber } from '../application/assign-phone-number.js';
import { ListPhoneNumbers } from '../application/list-phone-numbers.js';
import { presentNumber } from './accounts.presenters.js';
import { assignNumberBody } from './accounts.schemas.js';
import { cursorId } from './cursor.js';

/** The phone numbers of an account, for operators. */
@Controller('v1/operator/accounts/:sid/phone-numbers')
@OperatorOnly()
export class PhoneNumbersController {
  constructor(
    private readonly assignNumber: AssignPhoneNumber,
    private readonly listNumbers: ListPhoneNumbers,
  ) {}

  @Post()
  async assign(@Param('sid') sid: string, @Body({ schema: assignNumberBody }) body: z.infer<typeof assignNumberBody>) {
    return presentNumber(await this.assignNumber.assign({ accountSid: sid, phoneNumber: body.phone_number }));
  }

  @Get()
  async list(@Param('sid') sid: string, @Query({ schema: pageQuerySchema }) query: z.infer<typeof pageQuerySchema>) {
    const numbers = await this.listNumbers.list(sid, cursorId('PN', query.cursor), query.limit + 1);
    return nativePage(numbers, query.limit, presentNumber, (number) => [sidOf('PN', number.id)]);
  }
}
