import { Body, Controller, Delete, Get, HttpCode, Param, Post, Query, Req } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import type { z } from 'zod';
import { CurrentPrincipal, NeedsAuthToken } from '../../../platform/http/decorators.js';
import { idPage, idPosition } from '../../../platform/http/twilio-list.js';
import { type TwilioPageQuery, twilioPageQuerySchema } from '../../../platform/http/twilio-page.js';
import type { Principal } from '../../../shared/principal.js';
import { CreateKey } from '../application/create-key.js';
import { ReadOwnKeys } from '../application/read-own-keys.js';
import { RenameKey } from '../application/rename-key.js';
import { RevokeKey } from '../application/revoke-key.js';
import { presentNewTwilioKey, presentTwilioKey } from './twilio-accounts.presenters.js';
import { keyBody } from './twilio-accounts.schemas.js';

/** API keys as Twilio's API has them. A key cannot act on keys. */
@Controller('2010-04-01/Accounts/:AccountSid')
@NeedsAuthToken()
export class TwilioKeysController {
  constructor(
    private readonly createKey: CreateKey,
    private readonly keys: ReadOwnKeys,
    private readonly renameKey: RenameKey,
    private readonly revokeKey: RevokeKey,
  ) {}

  /** The key's secret is told here and never again. */
  @Post('Keys.json')
  @HttpCode(201)
  async create(@CurrentPrincipal() principal: Principal, @Body({ schema: keyBody }) body: z.infer<typeof keyBody>) {
    return presentNewTwilioKey(await this.createKey.create(principal.accountSid, body.FriendlyName ?? ''));
  }

  @Get('Keys.json')
  async list(
    @CurrentPrincipal() principal: Principal,
    @Query({ schema: twilioPageQuerySchema }) query: TwilioPageQuery,
    @Req() request: FastifyRequest,
  ) {
    const read = await this.keys.page(principal.accountSid, idPosition(query), query.PageSize + 1);
    const { rows, envelope } = idPage(request.url, [], query, read);
    return { ...envelope, keys: rows.map(presentTwilioKey) };
  }

  @Get('Keys/:Sid.json')
  async fetch(@CurrentPrincipal() principal: Principal, @Param('Sid') sid: string) {
    return presentTwilioKey(await this.keys.one(principal.accountSid, sid));
  }

  @Post('Keys/:Sid.json')
  @HttpCode(200)
  async update(
    @CurrentPrincipal() principal: Principal,
    @Param('Sid') sid: string,
    @Body({ schema: keyBody }) body: z.infer<typeof keyBody>,
  ) {
    if (body.FriendlyName === undefined) return presentTwilioKey(await this.keys.one(principal.accountSid, sid));
    return presentTwilioKey(await this.renameKey.rename(principal.accountSid, sid, body.FriendlyName));
  }

  /** Revokes the key, for good. */
  @Delete('Keys/:Sid.json')
  @HttpCode(204)
  async delete(@CurrentPrincipal() principal: Principal, @Param('Sid') sid: string): Promise<void> {
    await this.revokeKey.revoke(principal.accountSid, sid);
  }
}
