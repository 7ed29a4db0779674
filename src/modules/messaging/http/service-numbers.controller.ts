import { Body, Controller, Delete, Get, HttpCode, Param, Post, Query, Req } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import type { z } from 'zod';
import { CurrentPrincipal } from '../../../platform/http/decorators.js';
import { PublicUrl } from '../../../platform/http/public-url.js';
import { idPosition } from '../../../platform/http/twilio-list.js';
import { twilioMetaPage } from '../../../platform/http/twilio-page.js';
import type { Principal } from '../../../shared/principal.js';
import { ChangePool } from '../application/change-pool.js';
import { ListServices } from '../application/list-services.js';

import { accountId, idOf } from './path-ids.js';
import { presentServiceNumber } from './services.presenter.js';
import { addNumberBody, listServicesQuery } from './services.schemas.js';

/** The numbers of a messaging service's pool as Twilio's API has them. */
@Controller('v1/Services/:ServiceSid/PhoneNumbers')
export class ServiceNumbersController {
  constructor(
    private readonly pool: ChangePool,
    private readonly listServices: ListServices,
    private readonly publicUrl: PublicUrl,
  ) {}

  /** A number of the account, which can be in one service only. */
  @Post()
  @HttpCode(201)
  async add(
    @CurrentPrincipal() principal: Principal,
    @Param('ServiceSid') serviceSid: string,
    @Body({ schema: addNumberBody }) body: z.infer<typeof addNumberBody>,
  ) {
    const owner = ownerOf(principal, serviceSid);
    const added = await this.pool.add(owner.accountId, owner.serviceId, body.PhoneNumberSid);
    return presentServiceNumber(owner, added, this.publicUrl.base());
  }

  @Get()
  async list(
    @CurrentPrincipal() principal: Principal,
    @Param('ServiceSid') serviceSid: string,
    @Query({ schema: listServicesQuery }) query: z.infer<typeof listServicesQuery>,
    @Req() request: FastifyRequest,
  ) {
    const [owner, base] = [ownerOf(principal, serviceSid), this.publicUrl.base()];
    const limit = query.PageSize + 1;
    const read = await this.listServices.numbers(owner.accountId, owner.serviceId, idPosition(query), limit);
    const path = new URL(request.url, base).pathname;
    const { rows, meta } = twilioMetaPage(
      { path, filters: {}, query, rows: read, position: (number) => [number.id] },
      'phone_numbers',
      base,
    );
    return { meta, phone_numbers: rows.map((number) => presentServiceNumber(owner, number, base)) };
  }

  @Get(':Sid')
  async fetch(
    @CurrentPrincipal() principal: Principal,
    @Param('ServiceSid') serviceSid: string,
    @Param('Sid') sid: string,
  ) {
    const owner = ownerOf(principal, serviceSid);
    const number = await this.listServices.number(owner.accountId, owner.serviceId, idOf('PN', sid));
    return presentServiceNumber(owner, number, this.publicUrl.base());
  }

  /** The number stays with the account. */
  @Delete(':Sid')
  @HttpCode(204)
  async remove(
    @CurrentPrincipal() principal: Principal,
    @Param('ServiceSid') serviceSid: string,
    @Param('Sid') sid: string,
  ): Promise<void> {
    const owner = ownerOf(principal, serviceSid);
    await this.pool.remove(owner.accountId, owner.serviceId, idOf('PN', sid));
  }
}

function ownerOf(principal: Principal, serviceSid: string): { accountId: string; serviceId: string } {
  return { accountId: accountId(principal), serviceId: idOf('MG', serviceSid) };
}
