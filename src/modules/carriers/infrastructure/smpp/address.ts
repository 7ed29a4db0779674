import type { MessageFields } from './pdu.js';

/** Type of number and numbering plan (SMPP 3.4, 5.2.5 and 5.2.6). */
const TON_UNKNOWN = 0;
const TON_INTERNATIONAL = 1;
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

function typed(address: string): TypedAddress {
  if (/^\+\d+$/.test(address)) return { ton: TON_INTERNATIONAL, npi: NPI_ISDN, address: address.slice(1) };
  if (/^\d+$/.test(address)) return { ton: TON_UNKNOWN, npi: NPI_UNKNOWN, address };
  return { ton: TON_ALPHANUMERIC, npi: NPI_UNKNOWN, address };
}
