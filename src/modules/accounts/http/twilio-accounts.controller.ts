import { Body, Controller, Get, HttpCode, Post, Query, Req } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import type { z } from 'zod';
import {
  ActsOnInactiveSubaccount,
  Context,
  CurrentPrincipal,
  NeedsAuthToken,
  type RequestContext,
} from '../../../platform/http/decorators.js';
import { idPage, idPosition } from '../../../platform/http/twilio-list.js';
import type { Principal } from '../../../shared/principal.js';
import { ChangeOwnAccount } from '../application/change-own-account.js';
import { OpenSubaccount } from '../application/open-subaccount.js';
import { ReadOwnAccounts } from '../application/read-own-accounts.js';
import type { AccountStatus } from '../domain/account.js';
import { presentTwilioAccount } from './twilio-accounts.presenters.js';
import { createAccountBody, listAccountsQuery, updateAccountBody } from './twilio-accounts.schemas.js';

const SHOWN_AS: Readonly<Record<'active' | 'suspended' | 'closed', readonly AccountStatus[]>> = {
  active: ['active'],
  suspended: ['suspended', 'provisioning'],
  closed: ['closed'],
};

/** Accounts as Twilio's API has them: an account reads itself and its subaccounts, and opens and ends these. */
@Controller('2010-04-01')
@NeedsAuthToken()
export class TwilioAccountsController {
  constructor(
    private readonly accounts: ReadOwnAccounts,
    private readonly openSubaccount: OpenSubaccount,
    private readonly changeAccount: ChangeOwnAccount,
  ) {}

  /** Opens a subaccount; answers when it is usable. */
  @Post('Accounts.json')
  @HttpCode(201)
  async create(
    @CurrentPrincipal() principal: Principal,
    @Body({ schema: createAccountBody }) body: z.infer<typeof createAccountBody>,
  ) {
    const name =
      body.FriendlyName || `SubAccount Created at ${new Date().toISOString().slice(0, 16).replace('T', ' ')}`;
    return presentTwilioAccount(await this.openSubaccount.open(principal.accountSid, name));
  }

  /** The account itself and its subaccounts. */
  @Get('Accounts.json')
  async list(
    @CurrentPrincipal() principal: Principal,
    @Query({ schema: listAccountsQuery }) query: z.infer<typeof listAccountsQuery>,
    @Req() request: FastifyRequest,
  ) {
    const filter = {
      ...(query.FriendlyName === undefined ? {} : { friendlyName: query.FriendlyName }),
      ...(query.Status === undefined ? {} : { statuses: SHOWN_AS[query.Status] }),
    };
    const read = await this.accounts.page(principal.accountSid, filter, idPosition(query), query.PageSize + 1);
    const { rows, envelope } = idPage(request.url, ['FriendlyName', 'Status'], query, read);
    return { ...envelope, accounts: rows.map(presentTwilioAccount) };
  }

  @Get('Accounts/:AccountSid.json')
  async fetch(@CurrentPrincipal() principal: Principal) {
    return presentTwilioAccount(await this.accounts.one(principal.accountSid));
  }

  /** Names an account; suspends, reactivates or closes a subaccount, which is for its owner alone. */
  @Post('Accounts/:AccountSid.json')
  @ActsOnInactiveSubaccount()
  @HttpCode(200)
  async update(
    @CurrentPrincipal() principal: Principal,
    @Context() context: RequestContext,
    @Body({ schema: updateAccountBody }) body: z.infer<typeof updateAccountBody>,
  ) {
    await this.changeAccount.change(context.callerSid!, principal.accountSid, {
      ...(body.FriendlyName === undefined ? {} : { friendlyName: body.FriendlyName }),
      ...(body.Status === undefined ? {} : { status: body.Status }),
    });
    return presentTwilioAccount(await this.accounts.one(principal.accountSid));
  }
}
