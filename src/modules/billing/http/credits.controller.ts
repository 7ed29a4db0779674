import { Body, Controller, Get, Param, Post, Query } from '@nestjs/common';
import type { z } from 'zod';
import { OperatorOnly } from '../../../platform/http/decorators.js';
import { nativePage, pageQuerySchema } from '../../../platform/http/page.js';
import { CreditAccount } from '../application/credit-account.js';
import { ListCredits } from '../application/list-credits.js';
import { presentCredit } from './billing.presenters.js';
import { creditBody } from './billing.schemas.js';
import { cursorId } from './cursor.js';

/** What operators credit to accounts. */
@Controller('v1/operator/accounts/:sid/credits')
@OperatorOnly()
export class CreditsController {
  constructor(
    private readonly creditAccount: CreditAccount,
    private readonly listCredits: ListCredits,
  ) {}

  /** The same key with the same amount has the same answer, and one effect. */
  @Post()
  async credit(@Param('sid') sid: string, @Body({ schema: creditBody }) body: z.infer<typeof creditBody>) {
    const { key, amount, reason } = body;
    return presentCredit(await this.creditAccount.credit({ accountSid: sid, key, amountMicros: amount, reason }));
  }

  @Get()
  async list(@Param('sid') sid: string, @Query({ schema: pageQuerySchema }) query: z.infer<typeof pageQuerySchema>) {
    const credits = await this.listCredits.list(sid, cursorId(query.cursor), query.limit + 1);
    return nativePage(credits, query.limit, presentCredit, (credit) => [credit.entryKey]);
  }
}
