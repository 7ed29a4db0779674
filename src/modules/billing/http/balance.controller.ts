import { Controller, Get } from '@nestjs/common';
import { CurrentPrincipal } from '../../../platform/http/decorators.js';
import type { Principal } from '../../../shared/principal.js';
import { GetBalance } from '../application/get-balance.js';
import { presentBalance } from './billing.presenters.js';

/** The balance of the account that asks. */
@Controller('v1/balance')
export class BalanceController {
  constructor(private readonly getBalance: GetBalance) {}

  @Get()
  async get(@CurrentPrincipal() principal: Principal) {
    return presentBalance(await this.getBalance.of(principal.accountSid), Date.now());
  }
}
