import { Body, Controller, Delete, Get, Headers, HttpCode, Param, Post, Query, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { z } from 'zod';
import {
  type ContextRequest,
  CreatesMessage,
  CurrentPrincipal,
  principalOf,
} from '../../../platform/http/decorators.js';
import { idPosition } from '../../../platform/http/twilio-list.js';
import { Failure } from '../../../shared/failure.js';
import type { Principal } from '../../../shared/principal.js';
import { sidOf } from '../../../shared/sid.js';
import { ChangeMessage } from '../application/change-message.js';
import { ListMessages } from '../application/list-messages.js';
import { SendMessage } from '../application/send-message.js';
import { presentMessage } from './message.presenter.js';
import { presentMessageList } from './message-list.presenter.js';
import { filterOf } from './message-list.request.js';
import { createMessageBody, listMessagesQuery, updateMessageBody } from './messages.schemas.js';
import { accountId, idOf } from './path-ids.js';

const HOPS = 'X-Trunkline-Hops';
/** More instances in line than anybody needs: where there are more, their routes form a loop. */
const MAX_HOPS = 5;
const KEY = /^[\x21-\x7e]{1,255}$/;

/** Messages as Twilio's API has them. */
@Controller('2010-04-01/Accounts/:AccountSid')
export class MessagesController {
  constructor(
    private readonly sendMessage: SendMessage,
    private readonly listMessages: ListMessages,
    private readonly changeMessage: ChangeMessage,
  ) {}

  /** Sends a message: 201 when it is durable. `Idempotency-Key` makes a repetition give the first answer again. */
  @Post('Messages.json')
  @CreatesMessage()
  @HttpCode(201)
  async create(
    @Req() request: FastifyRequest & ContextRequest,
    @Body({ schema: createMessageBody }) body: z.infer<typeof createMessageBody>,
    @Headers('idempotency-key') key: string | undefined,
    @Headers('x-trunkline-hops') hops: string | undefined,
    @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    const { context } = request;
    const { message, replayed } = await this.sendMessage.send(
      principalOf(request),
      body as Record<string, string | string[]>,
      {
        idempotencyKey: idempotencyKey(key),
        traceparent: context.traceparent,
        waitedMs: Date.now() - context.arrivedAtMs,
        isGone: context.isGone,
        steps: context.steps,
        hops: hopsOf(hops),
      },
    );
    context.messageSid = sidOf('SM', message.id);
    if (replayed) reply.header('Idempotent-Replayed', 'true');
    return presentMessage(message);
  }

  @Get('Messages.json')
  async list(
    @CurrentPrincipal() principal: Principal,
    @Query({ schema: listMessagesQuery }) query: z.infer<typeof listMessagesQuery>,
    @Req() request: FastifyRequest,
  ) {
    const [filter, from] = [filterOf(query), idPosition(query)];
    const page = await this.listMessages.page(accountId(principal), filter, from, query.PageSize + 1);
    return presentMessageList(request.url, query, page);
  }

  @Get('Messages/:Sid.json')
  async fetch(@CurrentPrincipal() principal: Principal, @Param('Sid') sid: string) {
    return presentMessage(await this.listMessages.one(accountId(principal), idOf('SM', sid)));
  }

  /** `Body=` empty erases the text of a final message; `Status=canceled` takes back one that still waits. */
  @Post('Messages/:Sid.json')
  @HttpCode(200)
  async update(
    @CurrentPrincipal() principal: Principal,
    @Param('Sid') sid: string,
    @Body({ schema: updateMessageBody }) body: z.infer<typeof updateMessageBody>,
  ) {
    const [account, id] = [accountId(principal), idOf('SM', sid)];
    let view = await this.listMessages.one(account, id);
    if (body.Status !== undefined) view = await this.changeMessage.cancel(account, id);
    if (body.Body !== undefined) view = await this.changeMessage.redact(account, id);
    return presentMessage(view);
  }

  @Delete('Messages/:Sid.json')
  @HttpCode(204)
  async delete(@CurrentPrincipal() principal: Principal, @Param('Sid') sid: string): Promise<void> {
    await this.changeMessage.delete(accountId(principal), idOf('SM', sid));
  }
}

function idempotencyKey(key: string | undefined): string | null {
  if (key === undefined) return null;
  if (KEY.test(key)) return key;
  throw new Failure('invalid_parameter', {
    field: 'Idempotency-Key',
    detail: "'Idempotency-Key' must be 1 to 255 printable ASCII characters without spaces",
  });
}

/** How many instances of this product the message has passed through, each of which counts itself. */
function hopsOf(header: string | undefined): number {
  if (header === undefined) return 0;
  const hops = /^\d{1,3}$/.test(header) ? Number(header) : Number.NaN;
  if (hops <= MAX_HOPS) return hops;
  if (hops > MAX_HOPS) throw new Failure('too_many_hops', { field: HOPS });
  throw new Failure('invalid_parameter', { field: HOPS, detail: `'${HOPS}' must be a whole number` });
}
