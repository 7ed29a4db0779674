import { Body, Controller, Delete, Get, HttpCode, Param, Post, Put, Query } from '@nestjs/common';
import type { z } from 'zod';
import { CurrentPrincipal } from '../../../platform/http/decorators.js';
import { decodeCursor, nativePage } from '../../../platform/http/page.js';
import { Failure } from '../../../shared/failure.js';
import type { Principal } from '../../../shared/principal.js';
import { parseSid, sidOf } from '../../../shared/sid.js';
import { ManageOptOuts, type OptOutPosition } from '../application/manage-opt-outs.js';
import { OptOutSettingsOf, type SettingsView } from '../application/opt-out-settings-of.js';
import type { OptOut } from '../domain/opt-out.js';
import {
  addOptOutBody,
  listOptOutsQuery,
  optOutSettingsBody,
  removeOptOutQuery,
  settingsOf,
} from './opt-outs.schemas.js';

/** Who has opted out of an account's messages. */
@Controller('v1/opt-outs')
export class OptOutsController {
  constructor(private readonly optOuts: ManageOptOuts) {}

  @Get()
  async list(
    @CurrentPrincipal() principal: Principal,
    @Query({ schema: listOptOutsQuery }) query: z.infer<typeof listOptOutsQuery>,
  ) {
    const after = query.cursor === undefined ? null : positionOf(decodeCursor(query.cursor, 2));
    const { phone_number: phoneNumber, from, messaging_service_sid: messagingServiceSid } = query;
    const filter = { phoneNumber, from, messagingServiceSid };
    const rows = await this.optOuts.list(accountIdOf(principal), filter, after, query.limit + 1);
    return nativePage(rows, query.limit, presentOptOut, (row) => [row.recipient, row.sender]);
  }

  /** Adds one, as if the recipient had asked for it; 201 also where it is there already. */
  @Post()
  async add(
    @CurrentPrincipal() principal: Principal,
    @Body({ schema: addOptOutBody }) body: z.infer<typeof addOptOutBody>,
  ) {
    const choice = { from: body.from, messagingServiceSid: body.messaging_service_sid };
    return presentOptOut(await this.optOuts.add(accountIdOf(principal), body.phone_number, choice));
  }

  /** Removes a recipient's opt-outs: of one sender or service, or all of them. */
  @Delete(':phone_number')
  @HttpCode(204)
  async remove(
    @CurrentPrincipal() principal: Principal,
    @Param('phone_number') phoneNumber: string,
    @Query({ schema: removeOptOutQuery }) query: z.infer<typeof removeOptOutQuery>,
  ): Promise<void> {
    const choice = { from: query.from, messagingServiceSid: query.messaging_service_sid };
    await this.optOuts.remove(accountIdOf(principal), phoneNumber, choice);
  }
}

/** Keywords of opting out and in, and their answers: of the account, or of one of its numbers or services. */
@Controller('v1/opt-out-settings')
export class OptOutSettingsController {
  constructor(private readonly settings: OptOutSettingsOf) {}

  @Get()
  async get(@CurrentPrincipal() principal: Principal) {
    return presentSettings(null, await this.settings.get(accountIdOf(principal), null));
  }

  @Put()
  async set(
    @CurrentPrincipal() principal: Principal,
    @Body({ schema: optOutSettingsBody }) body: z.infer<typeof optOutSettingsBody>,
  ) {
    return presentSettings(null, await this.settings.set(accountIdOf(principal), null, settingsOf(body)));
  }

  /** The usual settings hold again. */
  @Delete()
  @HttpCode(204)
  async reset(@CurrentPrincipal() principal: Principal): Promise<void> {
    await this.settings.reset(accountIdOf(principal), null);
  }

  /** Of a number, or of a messaging service by its SID. */
  @Get(':sender')
  async getOf(@CurrentPrincipal() principal: Principal, @Param('sender') sender: string) {
    return presentSettings(sender, await this.settings.get(accountIdOf(principal), sender));
  }

  @Put(':sender')
  async setOf(
    @CurrentPrincipal() principal: Principal,
    @Param('sender') sender: string,
    @Body({ schema: optOutSettingsBody }) body: z.infer<typeof optOutSettingsBody>,
  ) {
    return presentSettings(sender, await this.settings.set(accountIdOf(principal), sender, settingsOf(body)));
  }

  /** The account's settings hold again. */
  @Delete(':sender')
  @HttpCode(204)
  async resetOf(@CurrentPrincipal() principal: Principal, @Param('sender') sender: string): Promise<void> {
    await this.settings.reset(accountIdOf(principal), sender);
  }
}

function accountIdOf(principal: Principal): string {
  return parseSid('AC', principal.accountSid)!;
}

function positionOf([recipient, sender]: readonly (string | number)[]): OptOutPosition {
  if (typeof recipient === 'string' && typeof sender === 'string') return { recipient, sender };
  throw new Failure('invalid_parameter', { field: 'cursor', detail: "'cursor' is not one that an earlier page gave" });
}

function presentOptOut(optOut: OptOut) {
  const { recipient, sender, serviceId, source, createdAt } = optOut;
  return {
    phone_number: recipient,
    from: sender === serviceId ? null : sender,
    messaging_service_sid: serviceId === null ? null : sidOf('MG', serviceId),
    source,
    created_at: createdAt.toISOString(),
  };
}

function presentSettings(sender: string | null, { settings, updatedAt }: SettingsView) {
  return {
    sender,
    stop: settings.STOP,
    start: settings.START,
    help: settings.HELP,
    updated_at: updatedAt?.toISOString() ?? null,
  };
}
