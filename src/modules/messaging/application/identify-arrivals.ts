import { Inject, Injectable } from '@nestjs/common';
import { parseSid } from '../../../shared/sid.js';
import { AccountsApi, type OwnedNumber } from '../../accounts/contract/accounts.api.js';
import { CarriersApi, type InboundContent } from '../../carriers/contract/carriers.api.js';
import {
  type Arrival,
  addressOf,
  type InboundWebhook,
  type Owned,
  otherReadingOf,
  storable,
} from '../domain/inbound.js';
import { type OptOutSettings, optOutTypeOf } from '../domain/opt-out-keywords.js';
import { OptOutSettingsOf } from './opt-out-settings-of.js';
import { type KnownService, ServiceDirectory } from './service-directory.js';

/** An arrival with its numbers in their one spelling, and whose it is; null: nobody's, or its text is gone. */
export interface Identified {
  readonly arrival: Arrival;
  readonly owned: Owned | null;
}

interface Candidate {
  readonly arrival: Arrival;
  readonly alsoFrom: string | null;
  readonly number: OwnedNumber;
  readonly content: InboundContent;
  readonly service: KnownService | null;
}

/** Finds out what came in, whose number it came to, and what it asks for. */
@Injectable()
export class IdentifyArrivals {
  constructor(
    @Inject(CarriersApi) private readonly carriers: CarriersApi,
    @Inject(AccountsApi) private readonly accounts: AccountsApi,
    private readonly services: ServiceDirectory,
    private readonly settings: OptOutSettingsOf,
  ) {}

  /** At most 1000, in their order. @throws what the contracts throw */
  async identify(given: readonly Arrival[]): Promise<Identified[]> {
    const arrivals = given.map(inOneSpelling);
    const [contents, numbers] = await Promise.all([
      this.carriers.inboundContents(arrivals.map((one) => one.id)),
      this.accounts.findPhoneNumbers([...new Set(arrivals.map((one) => one.to))]),
    ]);
    const contentOf = new Map(contents.map((content) => [content.inboundId, content]));
    const numberOf = new Map(numbers.map((number) => [number.phoneNumber, number]));
    const candidates = await Promise.all(
      arrivals.map((arrival, index) =>
        this.candidate(arrival, given[index]!.from, numberOf.get(arrival.to), contentOf.get(arrival.id)),
      ),
    );
    const known = candidates.filter((one) => one !== null);
    const settings = await this.settings.of(
      known.map(({ number, service }) => ({
        accountId: parseSid('AC', number.accountSid)!,
        number: number.phoneNumber,
        serviceId: service?.service.id ?? null,
      })),
    );
    const owned = new Map(known.map((one, index) => [one.arrival, ownedBy(one, settings[index]!)]));
    return arrivals.map((arrival) => ({ arrival, owned: owned.get(arrival) ?? null }));
  }

  private async candidate(
    arrival: Arrival,
    typedFrom: string,
    number: OwnedNumber | undefined,
    content: InboundContent | undefined,
  ): Promise<Candidate | null> {
    if (!number || !content || number.accountStatus === 'closed') return null;
    const service = await this.services.serviceOfNumber(parseSid('AC', number.accountSid)!, number.phoneNumber);
    return { arrival, alsoFrom: otherReadingOf(typedFrom, number.phoneNumber), number, content, service };
  }
}

/** Each end helps to read the other where that is written without its country. */
function inOneSpelling(arrival: Arrival): Arrival {
  const to = addressOf(arrival.to, addressOf(arrival.from));
  return { ...arrival, from: addressOf(arrival.from, to), to };
}

function ownedBy({ alsoFrom, number, content, service }: Candidate, settings: OptOutSettings): Owned {
  const body = storable(content.text);
  const optOutType = optOutTypeOf(body, settings);
  return {
    alsoFrom,
    accountId: parseSid('AC', number.accountSid)!,
    serviceId: service?.service.id ?? null,
    webhook: number.accountStatus === 'active' ? webhookOf(number, service) : null,
    body,
    encoding: content.encoding,
    optOutType,
    hasReply: optOutType !== null && settings[optOutType].reply !== null,
  };
}

/** A service's own URL, unless it leaves that to its numbers (Twilio's UseInboundWebhookOnNumber); null: nobody is asked. */
function webhookOf(number: OwnedNumber, known: KnownService | null): InboundWebhook | null {
  if (known && !known.service.useInboundWebhookOnNumber) {
    const { inboundRequestUrl, inboundMethod, fallbackUrl, fallbackMethod } = known.service;
    if (!inboundRequestUrl) return null;
    return { url: inboundRequestUrl, method: inboundMethod, fallbackUrl, fallbackMethod };
  }
  const { smsUrl, smsMethod, smsFallbackUrl, smsFallbackMethod } = number;
  if (!smsUrl) return null;
  return { url: smsUrl, method: smsMethod, fallbackUrl: smsFallbackUrl, fallbackMethod: smsFallbackMethod };
}
