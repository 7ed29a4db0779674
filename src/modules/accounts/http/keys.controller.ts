import { Body, Controller, Delete, Get, HttpCode, Param, Post, Query } from '@nestjs/common';
import type { z } from 'zod';
import { OperatorOnly } from '../../../platform/http/decorators.js';
import { nativePage, pageQuerySchema } from '../../../platform/http/page.js';
import { sidOf } from '../../../shared/sid.js';
import { CreateKey } from '../application/create-key.js';
import { ListKeys } from '../application/list-keys.js';
import { RevokeKey } from '../application/revoke-key.js';
import { presentKey, presentNewKey } from './accounts.presenters.js';
import { createKeyBody } from './accounts.schemas.js';
import { cursorId } from './cursor.js';

/** The API keys of an account, for operators. */
@Controller('v1/operator/accounts/:sid/keys')
@OperatorOnly()
export class KeysController {
  constructor(
    private readonly createKey: CreateKey,
    private readonly listKeys: ListKeys,
    private readonly revokeKey: RevokeKey,
  ) {}

  /** The key's secret is told here and never again. */
  @Post()
  async create(@Param('sid') sid: string, @Body({ schema: createKeyBody }) body: z.infer<typeof createKeyBody>) {
    return presentNewKey(await this.createKey.create(sid, body.friendly_name ?? ''));
  }

  @Get()
  async list(@Param('sid') sid: string, @Query({ schema: pageQuerySchema }) query: z.infer<typeof pageQuerySchema>) {
    const keys = await this.listKeys.list(sid, cursorId('SK', query.cursor), query.limit + 1);
    return nativePage(keys, query.limit, presentKey, (key) => [sidOf('SK', key.id)]);
  }

  @Delete(':keySid')
  @HttpCode(204)
  async revoke(@Param('sid') sid: string, @Param('keySid') keySid: string): Promise<void> {
    await this.revokeKey.revoke(sid, keySid);
  }
}
