import { Injectable } from '@nestjs/common';
import { SecretBox } from '../../../platform/crypto/secret-box.js';
import { parseFormBody } from '../../../platform/http/form.js';
import { parseJsonBody } from '../../../platform/http/json-body.js';
import { PublicUrl } from '../../../platform/http/public-url.js';
import { Failure } from '../../../shared/failure.js';
import type { CarrierDefinition } from '../domain/carrier.js';
import type { ReceiptDefinition } from '../domain/http/definition.js';
import { withExactIds } from '../domain/http/exact-json.js';
import { isAuthentic } from '../domain/http/receipt-auth.js';
import { ReceiptReader } from '../domain/http/receipt-reading.js';
import { expand } from '../domain/http/twilio-preset.js';
import { CarrierDirectory } from '../infrastructure/carrier-directory.js';
import { openSecrets } from '../infrastructure/http-carrier/http-carrier-secrets.js';
import { receiptsPath } from '../infrastructure/http-carrier/receipt-url.js';
import { HandInReceipts } from './hand-in-receipts.js';
import { HttpReceiptMetrics } from './http-receipt-metrics.js';

/** A request with receipts, as it came. */
export interface ReceiptRequest {
  /** The path's name of the carrier. */
  readonly carrier: string;
  readonly token: string | null;
  header(name: string): string | null;
  readonly isForm: boolean;
  /** The body, or the query where the receipts stand there. */
  readonly body: Buffer;
  /** Whether a signature can cover what is read: not where that is a query. */
  readonly isSigned: boolean;
}

/** How the receipts of one version of a carrier are told and read. */
interface Source {
  readonly carrier: CarrierDefinition;
  readonly definition: ReceiptDefinition;
  readonly secret: string;
  readonly reader: ReceiptReader;
}

/**
 * Takes the receipts that a carrier sends over HTTP. They are about its own messages whatever they say: they are looked
 * up by the carrier's name, with its ids.
 */
@Injectable()
export class TakeReceipts {
  private readonly sources = new Map<string, Source>();

  constructor(
    private readonly directory: CarrierDirectory,
    private readonly secrets: SecretBox,
    private readonly publicUrl: PublicUrl,
    private readonly handIn: HandInReceipts,
    private readonly metrics: HttpReceiptMetrics,
  ) {}

  /**
   * Returns when the receipts are durable. A state that the definition does not list changes nothing.
   *
   * @throws Failure `unauthenticated`, whether there is no such carrier or it would prove itself otherwise;
   *   `invalid_request` or `invalid_parameter`, naming the pointer, where the body is not what its definition says
   */
  async take(request: ReceiptRequest): Promise<void> {
    const source = await this.source(request.carrier);
    if (!source) throw refused();
    const url = receiptsPath(this.publicUrl.base(), request.carrier);
    const proof = { ...request, header: request.header, url, form: () => form(request) };
    if (!isAuthentic(source.definition.auth, source.secret, proof)) {
      this.metrics.count(request.carrier, 'forged', 1);
      throw refused();
    }
    const reading = this.read(source, request);
    if (!reading.ok) {
      const { field, message } = reading.fault;
      this.metrics.count(request.carrier, 'unreadable', 1);
      throw new Failure('invalid_parameter', { field, detail: `'${field}' ${message}` });
    }
    this.metrics.count(request.carrier, 'ignored', reading.unlisted);
    await this.handIn.handIn(reading.receipts);
    this.metrics.count(request.carrier, 'taken', reading.receipts.length);
  }

  private read({ reader }: Source, { carrier, isForm, body }: ReceiptRequest) {
    try {
      return reader.read(isForm ? parseFormBody(body) : parseJsonBody(body, withExactIds));
    } catch (error) {
      if (error instanceof Failure) this.metrics.count(carrier, 'unreadable', 1);
      throw error;
    }
  }

  private async source(name: string): Promise<Source | null> {
    const carrier = (await this.directory.carriers()).get(name);
    if (!carrier?.http || carrier.state === 'disabled') return null;
    const known = this.sources.get(name);
    if (known?.carrier.version === carrier.version) return known;
    const definition = expand(carrier.http).receipts;
    if (!definition) return null;
    const secret = openSecrets(this.secrets, carrier)[definition.auth.secret];
    if (secret === undefined) return null;
    const source = { carrier, definition, secret, reader: new ReceiptReader(name, definition) };
    this.sources.set(name, source);
    return source;
  }
}

/** The same answer whatever is wrong, so that it tells nobody which carriers there are. */
function refused(): Failure {
  const detail = 'Authentication Error - there is no such carrier, or this is not how it proves itself';
  return new Failure('unauthenticated', { detail });
}

function form({ isForm, body }: ReceiptRequest) {
  if (!isForm) return null;
  try {
    return parseFormBody(body);
  } catch {
    return null;
  }
}
