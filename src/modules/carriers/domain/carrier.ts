import type { HttpCarrier } from './http/definition.js';
import { isSameSmpp, type SmppOptions, USUAL_SMPP } from './smpp-options.js';

export const CARRIER_TYPES = ['smpp', 'http'] as const;
export const BIND_KINDS = ['transceiver', 'transmitter_receiver'] as const;

/** `draining` takes no more, but stays bound for the receipts of what it has; `disabled` is neither bound nor routed to. */
export const CARRIER_STATES = ['active', 'draining', 'disabled'] as const;
export type CarrierState = (typeof CARRIER_STATES)[number];

/**
 * A carrier as the operator defined it; the password is sealed. One over HTTP has its secrets there, its host and port are
 * those of its URL, and what belongs to a session of SMPP says nothing.
 */
export interface CarrierDefinition {
  readonly name: string;
  readonly type: (typeof CARRIER_TYPES)[number];
  readonly host: string;
  readonly port: number;
  readonly systemId: string;
  readonly password: Uint8Array;
  readonly bind: (typeof BIND_KINDS)[number];
  /** Most messages (SMPP: segments, through each bind) that wait for the carrier's answer at a time. */
  readonly windowSize: number;
  /** Segments a second; null for no limit. */
  readonly tps: number | null;
  readonly state: CarrierState;
  readonly version: number;
  /** What differs from the usual. */
  readonly smpp?: Partial<SmppOptions> | null | undefined;
  /** Of the type http only. */
  readonly http?: HttpCarrier | null | undefined;
}

/** How a carrier wants SMPP. */
export function smppOptionsOf({ smpp }: Pick<CarrierDefinition, 'smpp'>): SmppOptions {
  return { ...USUAL_SMPP, ...smpp };
}

/** Whether a change of a carrier needs new sessions: what its answers mean is looked up when they come. */
export function needsReopening(before: CarrierDefinition, after: CarrierDefinition): boolean {
  const lasting = (carrier: CarrierDefinition) => {
    const { version: _, password, smpp: __, ...rest } = carrier;
    return JSON.stringify({ ...rest, password: [...password] });
  };
  const [old, fresh] = [smppOptionsOf(before), smppOptionsOf(after)];
  return lasting(before) !== lasting(after) || !isSameSmpp(old, { ...fresh, resultOverrides: old.resultOverrides });
}

/** What a sealed password belongs to, so that it cannot be moved to another carrier. */
export function sealContext(carrier: string): string {
  return `carrier:${carrier}`;
}

/** A carrier with its history's place in the event log. */
export interface StoredCarrier extends CarrierDefinition {
  readonly streamId: string;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

/** What of a carrier may be changed. */
export type CarrierPatch = Partial<Omit<CarrierDefinition, 'name' | 'type' | 'version'>>;

/** The carrier after a change, a version on; the same where nothing changes. A new password is always a change. */
export function amend(carrier: StoredCarrier, patch: CarrierPatch): StoredCarrier {
  const names = Object.keys(patch) as (keyof CarrierPatch)[];
  const smpp = patch.smpp ? { ...carrier.smpp, ...patch.smpp } : carrier.smpp;
  const isChange = names.some((name) =>
    name === 'smpp'
      ? !isSameSmpp(smppOptionsOf({ smpp }), smppOptionsOf(carrier))
      : patch[name] !== undefined && patch[name] !== carrier[name],
  );
  const given = Object.fromEntries(names.flatMap((name) => (patch[name] === undefined ? [] : [[name, patch[name]]])));
  return isChange ? { ...carrier, ...given, smpp, version: carrier.version + 1 } : carrier;
}
