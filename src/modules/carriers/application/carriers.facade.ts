import { Injectable } from '@nestjs/common';
import type { z } from 'zod';
import {
  CarriersApi,
  type capacityOutput,
  type InboundContent,
  type listSubmissionsInput,
  type routeInput,
  type routeOutput,
  type Submission,
  type SubmissionDigest,
  type SubmissionRow,
  type SubmitResult,
  type submissionBuckets,
} from '../contract/carriers.api.js';
import { CarrierDirectory } from '../infrastructure/carrier-directory.js';
import { InboundRepository } from '../infrastructure/inbound.repository.js';
import { SubmissionAuditRepository } from '../infrastructure/submission-audit.repository.js';
import { BindsOwner } from './binds-owner.js';
import { WithdrawSubmissions } from './withdraw-submissions.js';

/** The carriers' contract, in this process. */
@Injectable()
export class CarriersFacade extends CarriersApi {
  constructor(
    private readonly directory: CarrierDirectory,
    private readonly owner: BindsOwner,
    private readonly withdrawing: WithdrawSubmissions,
    private readonly audit: SubmissionAuditRepository,
    private readonly inbound: InboundRepository,
  ) {
    super();
  }

  async route(input: z.infer<typeof routeInput>): Promise<z.infer<typeof routeOutput>> {
    const [queue] = (await this.directory.routes()).carriers(input.to, Math.random());
    return queue === undefined ? null : { queue };
  }

  async capacity(): Promise<z.infer<typeof capacityOutput>> {
    return this.owner.current?.capacity() ?? {};
  }

  async submit(items: readonly Submission[]): Promise<SubmitResult[]> {
    const binds = this.owner.current;
    return binds ? binds.submit(items) : items.map(() => 'busy');
  }

  withdraw(keys: readonly string[]): Promise<boolean[]> {
    return this.withdrawing.withdraw(keys);
  }

  digest(input: z.infer<typeof submissionBuckets>): Promise<SubmissionDigest[]> {
    return this.audit.digest(input);
  }

  listSubmissions(input: z.infer<typeof listSubmissionsInput>): Promise<SubmissionRow[]> {
    return this.audit.list(input);
  }

  inboundContents(inboundIds: readonly string[]): Promise<InboundContent[]> {
    return this.inbound.contents(inboundIds);
  }

  redactInbound(inboundIds: readonly string[]): Promise<void> {
    return this.inbound.redact(inboundIds);
  }
}
