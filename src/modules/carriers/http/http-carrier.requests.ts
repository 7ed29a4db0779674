import type { z } from 'zod';
import type { NewHttpCarrier } from '../application/add-carrier.js';
import type { CarrierChange } from '../application/change-carrier.js';
import type { HttpDefinition } from '../domain/http/definition.js';
import { TWILIO_SECRET } from '../domain/http/twilio-preset.js';
import type { addCarrierBody, changeCarrierBody } from './carriers.schemas.js';
import { splitSmpp } from './smpp-carrier.schemas.js';

/** A carrier over HTTP as a request asks for it: what is kept, and its secrets apart. */
export function newHttpCarrier(body: Extract<z.infer<typeof addCarrierBody>, { type: 'http' }>): NewHttpCarrier {
  const { name, type: _type, window: windowSize, tps, ...given } = body;
  if (given.preset === 'twilio') {
    const { auth_token: token, ...http } = given;
    return { name, windowSize, tps, http, secrets: { [TWILIO_SECRET]: token } };
  }
  const { secrets, preset: _none, ...http } = given;
  return { name, windowSize, tps, http, secrets };
}

/** A change of a carrier as a request asks for it. */
export function carrierChange(body: z.infer<typeof changeCarrierBody>): CarrierChange {
  const { rest, smpp } = splitSmpp(body);
  const { host, port, system_id: systemId, password, bind, window: windowSize, tps, state, ...definition } = rest;
  const { auth_token: token, secrets, ...http } = definition;
  const common = { host, port, systemId, password, bind, windowSize, tps, state, smpp };
  if (Object.keys(definition).length === 0) return common;
  const named = token === undefined ? secrets : { ...secrets, [TWILIO_SECRET]: token };
  // A part that is null is taken away.
  return { ...common, http: { ...(http as Partial<HttpDefinition>), ...(named ? { secrets: named } : {}) } };
}
