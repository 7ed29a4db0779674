import { Body, Controller, Get, HttpCode, Param, Patch, Post, Query } from '@nestjs/common';
import type { z } from 'zod';
import { OperatorOnly } from '../../../platform/http/decorators.js';
import { nativePage, pageQuerySchema } from '../../../platform/http/page.js';
import { AwaitProvisioning } from '../application/await-provisioning.js';
import { ChangeAccount } from '../application/change-account.js';
import { FindAccount } from '../application/find-account.js';
import { ListAccounts } from '../application/list-accounts.js';
import { OpenAccount } from '../application/open-account.js';
import { RotateAuthToken } from '../application/rotate-auth-token.js';
import { presentAccount } from './accounts.presenters.js';
import { changeAccountBody, openAccountBody } from './accounts.schemas.js';
import { cursorId } from './cursor.js';

/** The operator's view of accounts. */
@Controller('v1/operator/accounts')
@OperatorOnly()
export class AccountsController {
  constructor(
    private readonly openAccount: OpenAccount,
    private readonly provisioning: AwaitProvisioning,
    private readonly findAccount: FindAccount,
    private readonly listAccounts: ListAccounts,
    private readonly changeAccount: ChangeAccount,
    private readonly rotateAuthToken: RotateAuthToken,
  ) {}

  /** Answers when the account is provisioned; its auth token is told here and never again. */
  @Post()
  async open(@Body({ schema: openAccountBody }) body: z.infer<typeof openAccountBody>) {
    const opened = await this.openAccount.open({
      friendlyName: body.friendly_name,
      tier: body.tier,
      ...(body.owner_account_sid === undefined ? {} : { ownerAccountSid: body.owner_account_sid }),
    });
    const account = await this.provisioning.wait(opened.account.sid);
    return { ...presentAccount(account), auth_token: opened.authToken };
  }

  @Get()
  async list(@Query({ schema: pageQuerySchema }) query: z.infer<typeof pageQuerySchema>) {
    const accounts = await this.listAccounts.list(cursorId('AC', query.cursor), query.limit + 1);
    return nativePage(accounts, query.limit, presentAccount, (account) => [account.sid]);
  }

  @Get(':sid')
  async get(@Param('sid') sid: string) {
    return presentAccount(await this.findAccount.find(sid));
  }

  @Patch(':sid')
  async change(
    @Param('sid') sid: string,
    @Body({ schema: changeAccountBody }) body: z.infer<typeof changeAccountBody>,
  ) {
    const account = await this.changeAccount.change(sid, {
      ...(body.tier === undefined ? {} : { tier: body.tier }),
      ...(body.status === undefined ? {} : { status: body.status }),
      ...(body.messages_per_minute === undefined ? {} : { messagesPerMinute: body.messages_per_minute }),
      ...(body.messages_per_second === undefined ? {} : { messagesPerSecond: body.messages_per_second }),
      ...(body.messages_per_day === undefined ? {} : { messagesPerDay: body.messages_per_day }),
      ...(body.unknown_outcome === undefined ? {} : { unknownOutcome: body.unknown_outcome }),
    });
    return presentAccount(account);
  }

  /** Replaces the auth token, for an account whose token is lost or known to others. */
  @Post(':sid/auth-token')
  @HttpCode(200)
  async rotate(@Param('sid') sid: string) {
    return { sid, auth_token: await this.rotateAuthToken.rotate(sid) };
  }
}
