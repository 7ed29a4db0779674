import { Controller, Get } from '@nestjs/common';
import { CurrentPrincipal } from '../../../platform/http/decorators.js';
import type { Principal } from '../../../shared/principal.js';
import { GetBalance } from '../application/get-balance.js';
import { presentTwilioBalance } from './billing.presenters.js';

/** Twilio's `Balance` resource. */
@Controller('2010-04-01/Accounts/:AccountSid')
export class TwilioBalanceController {
  constructor(private readonly getBalance: GetBalance) {}

  @Get('Balance.json')
  async get(@CurrentPrincipal() principal: Principal) {
    return presentTwilioBalance(principal.accountSid, await this.getBalance.of(principal.accountSid));
  }
}
