import type { Service, WebhookMethod } from '../domain/service.js';

export const SERVICE_COLUMNS = `account_id, id, version, friendly_name, use_case, inbound_request_url, inbound_method,
  fallback_url, fallback_method, use_inbound_webhook_on_number, status_callback, sticky_sender, area_code_geomatch,
  smart_encoding, validity_period, mms_converter, fallback_to_long_code, synchronous_validation, scan_message_content,
  created_at, updated_at`;

export interface ServiceRow {
  account_id: string;
  id: string;
  version: number;
  friendly_name: string;
  use_case: string;
  inbound_request_url: string | null;
  inbound_method: string;
  fallback_url: string | null;
  fallback_method: string;
  use_inbound_webhook_on_number: boolean;
  status_callback: string | null;
  sticky_sender: boolean;
  area_code_geomatch: boolean;
  smart_encoding: boolean;
  validity_period: number;
  mms_converter: boolean;
  fallback_to_long_code: boolean;
  synchronous_validation: boolean;
  scan_message_content: string;
  created_at: Date;
  updated_at: Date;
}

export function toService(row: ServiceRow): Service {
  return {
    accountId: row.account_id,
    id: row.id,
    version: row.version,
    friendlyName: row.friendly_name,
    useCase: row.use_case,
    inboundRequestUrl: row.inbound_request_url,
    inboundMethod: row.inbound_method as WebhookMethod,
    fallbackUrl: row.fallback_url,
    fallbackMethod: row.fallback_method as WebhookMethod,
    useInboundWebhookOnNumber: row.use_inbound_webhook_on_number,
    statusCallback: row.status_callback,
    stickySender: row.sticky_sender,
    areaCodeGeomatch: row.area_code_geomatch,
    smartEncoding: row.smart_encoding,
    validityPeriod: row.validity_period,
    mmsConverter: row.mms_converter,
    fallbackToLongCode: row.fallback_to_long_code,
    synchronousValidation: row.synchronous_validation,
    scanMessageContent: row.scan_message_content as Service['scanMessageContent'],
    createdAt: row.created_at,
    updatedAt: row.updated_at,
  };
}

/** The columns that a customer decides of, with their values, in one order. */
export const SETTINGS_COLUMNS = [
  'friendly_name',
  'use_case',
  'inbound_request_url',
  'inbound_method',
  'fallback_url',
  'fallback_method',
  'use_inbound_webhook_on_number',
  'status_callback',
  'sticky_sender',
  'area_code_geomatch',
  'smart_encoding',
  'validity_period',
  'mms_converter',
  'fallback_to_long_code',
  'synchronous_validation',
  'scan_message_content',
] as const;

export function settingsValues(service: Service): unknown[] {
  return [
    service.friendlyName,
    service.useCase,
    service.inboundRequestUrl,
    service.inboundMethod,
    service.fallbackUrl,
    service.fallbackMethod,
    service.useInboundWebhookOnNumber,
    service.statusCallback,
    service.stickySender,
    service.areaCodeGeomatch,
    service.smartEncoding,
    service.validityPeriod,
    service.mmsConverter,
    service.fallbackToLongCode,
    service.synchronousValidation,
    service.scanMessageContent,
  ];
}
