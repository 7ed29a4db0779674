import { decodeAddress, encodeAddresses } from './address.js';

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
