import { parseNationalNumber } from '../../../../shared/phone-number.js';
import type { MessageFields } from './pdu.js';

/** Type of number and numbering plan (SMPP 3.4, 5.2.5 and 5.2.6). */
const TON_UNKNOWN = 0;
const TON_INTERNATIONAL = 1;
const TON_NATIONAL = 2;
const TON_ALPHANUMERIC = 5;
const NPI_UNKNOWN = 0;
const NPI_ISDN = 1;

interface TypedAddress {
  readonly ton: number;
  readonly npi: number;
  readonly address: string;
}

/** The addresses of a message as SMPP types them: E.164 without its `+`, a short code, or an alphanumeric sender. */
export function encodeAddresses(
  source: string,
  destination: string,
): Pick<
  MessageFields,
  'sourceTon' | 'sourceNpi' | 'sourceAddress' | 'destinationTon' | 'destinationNpi' | 'destinationAddress'
> {
  const from = typed(source);
  const to = typed(destination);
  return {
    sourceTon: from.ton,
    sourceNpi: from.npi,
    sourceAddress: from.address,
    destinationTon: to.ton,
    destinationNpi: to.npi,
    destinationAddress: to.address,
  };
}

/** The address as this product writes it: an international number has its `+` whether or not the peer sent it. */
export function decodeAddress(ton: number, address: string): string {
  return ton === TON_INTERNATIONAL && /^\d+$/.test(address) ? `+${address}` : address;
}

/**
 * Both ends of a message as decodeAddress has them; one that is typed as national is a number of the other's country,
 * where that can be told. Read as international it would be somebody else's.
 */
export function decodeAddresses(
  pdu: Pick<MessageFields, 'sourceTon' | 'sourceAddress' | 'destinationTon' | 'destinationAddress'>,
): { readonly from: string; readonly to: string } {
  const from = decodeAddress(pdu.sourceTon, pdu.sourceAddress);
  const to = decodeAddress(pdu.destinationTon, pdu.destinationAddress);
  return { from: fromNational(pdu.sourceTon, from, to), to: fromNational(pdu.destinationTon, to, from) };
}

function fromNational(ton: number, address: string, other: string): string {
  if (ton !== TON_NATIONAL) return address;
  const near = /^\d+$/.test(other) ? `+${other}` : other;
  const national = parseNationalNumber(address, near, true);
  return national.ok ? national.e164 : address;
}

function typed(address: string): TypedAddress {
  if (/^\+\d+$/.test(address)) return { ton: TON_INTERNATIONAL, npi: NPI_ISDN, address: address.slice(1) };
  if (/^\d+$/.test(address)) return { ton: TON_UNKNOWN, npi: NPI_UNKNOWN, address };
  return { ton: TON_ALPHANUMERIC, npi: NPI_UNKNOWN, address };
}
