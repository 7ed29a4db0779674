import { decodeAddress, decodeAddresses, encodeAddresses } from './address.js';

test('international numbers go without their plus and are typed', () => {
  expect(encodeAddresses('+15005550006', '+442071838750')).toEqual({
    sourceTon: 1,
    sourceNpi: 1,
    sourceAddress: '15005550006',
    destinationTon: 1,
    destinationNpi: 1,
    destinationAddress: '442071838750',
  });
});

test('short codes and names are no numbers of a country', () => {
  expect(encodeAddresses('12345', '+1')).toMatchObject({ sourceTon: 0, sourceNpi: 0, sourceAddress: '12345' });
  expect(encodeAddresses('Trunkline', '+1')).toMatchObject({ sourceTon: 5, sourceNpi: 0, sourceAddress: 'Trunkline' });
});

test('what comes back is written as it was sent', () => {
  for (const address of ['+15005550006', '12345', 'Trunkline']) {
    const { sourceTon, sourceAddress } = encodeAddresses(address, '+1');
    expect(decodeAddress(sourceTon, sourceAddress)).toBe(address);
  }
  expect(decodeAddress(1, '+15005550006')).toBe('+15005550006');
});

describe('a national number', () => {
  const from = (sourceTon: number, sourceAddress: string, destinationTon: number, destinationAddress: string) =>
    decodeAddresses({ sourceTon, sourceAddress, destinationTon, destinationAddress }).from;

  test('is one of the country of the other end', () => {
    expect(from(2, '6465550123', 1, '15005550006')).toBe('+16465550123');
    expect(from(2, '5551234567', 0, '15005550006')).toBe('+15551234567');
    expect(from(2, '07911123456', 1, '442079460000')).toBe('+447911123456');
  });

  test('stays as it is where that cannot be told, and nothing else is taken for one', () => {
    expect(from(2, '6465550123', 2, '5005550006')).toBe('6465550123');
    expect(from(2, '6465550123', 0, '12345')).toBe('6465550123');
    expect(from(2, '123', 1, '15005550006')).toBe('123');
    expect(from(0, '6465550123', 1, '15005550006')).toBe('6465550123');
  });
});
