import { parsePhoneNumber } from '../../../shared/phone-number.js';
import { sidOf } from '../../../shared/sid.js';
import type { ListedNumber, Service } from '../domain/service.js';

/** A messaging service as Twilio's API shows it. @param base of absolute URLs */
export function presentService(service: Service, base: string): Record<string, unknown> {
  const sid = sidOf('MG', service.id);
  const url = `${base}/v1/Services/${sid}`;
  return {
    sid,
    account_sid: sidOf('AC', service.accountId),
    friendly_name: service.friendlyName,
    date_created: iso(service.createdAt),
    date_updated: iso(service.updatedAt),
    inbound_request_url: service.inboundRequestUrl,
    inbound_method: service.inboundMethod,
    fallback_url: service.fallbackUrl,
    fallback_method: service.fallbackMethod,
    status_callback: service.statusCallback,
    sticky_sender: service.stickySender,
    mms_converter: service.mmsConverter,
    smart_encoding: service.smartEncoding,
    scan_message_content: service.scanMessageContent,
    fallback_to_long_code: service.fallbackToLongCode,
    area_code_geomatch: service.areaCodeGeomatch,
    synchronous_validation: service.synchronousValidation,
    validity_period: service.validityPeriod,
    url,
    links: { phone_numbers: `${url}/PhoneNumbers` },
    usecase: service.useCase,
    us_app_to_person_registered: false,
    use_inbound_webhook_on_number: service.useInboundWebhookOnNumber,
  };
}

/** A number of a service's pool as Twilio's API shows it. */
export function presentServiceNumber(
  { accountId, serviceId }: { accountId: string; serviceId: string },
  { id, phoneNumber, createdAt }: ListedNumber,
  base: string,
): Record<string, unknown> {
  const [sid, serviceSid] = [sidOf('PN', id), sidOf('MG', serviceId)];
  const parsed = parsePhoneNumber(phoneNumber);
  return {
    sid,
    account_sid: sidOf('AC', accountId),
    service_sid: serviceSid,
    date_created: iso(createdAt),
    date_updated: iso(createdAt),
    phone_number: phoneNumber,
    country_code: parsed.ok ? parsed.country : null,
    capabilities: ['SMS'],
    url: `${base}/v1/Services/${serviceSid}/PhoneNumbers/${sid}`,
  };
}

/** To the second, as Twilio's v1 resources have it. */
function iso(instant: Date): string {
  return `${instant.toISOString().slice(0, 19)}Z`;
}
