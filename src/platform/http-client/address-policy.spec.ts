import { AddressPolicy } from './address-policy.js';

describe('AddressPolicy', () => {
  const publicOnly = new AddressPolicy([]);

  it.each(['8.8.8.8', '1.1.1.1', '93.184.216.34', '172.32.0.1', '2606:4700:4700::1111', '::ffff:8.8.8.8'])(
    'allows the public address %s',
    (address) => expect(publicOnly.allows(address)).toBe(true),
  );

  it.each([
    ['loopback', ['127.0.0.1', '127.255.255.254', '::1']],
    ['unspecified', ['0.0.0.0', '0.1.2.3', '::']],
    ['private', ['10.0.0.1', '172.16.0.1', '172.31.255.255', '192.168.1.1', 'fc00::1', 'fd12:3456::1']],
    ['link-local and metadata', ['169.254.169.254', 'fe80::1', 'fe80::1%eth0', 'fd00:ec2::254']],
    ['shared', ['100.64.0.1', '100.127.255.255']],
    ['multicast and broadcast', ['224.0.0.1', '239.255.255.255', '255.255.255.255', 'ff02::1']],
    ['reserved and documentation', ['192.0.0.1', '192.0.2.1', '198.18.0.1', '203.0.113.1', '240.0.0.1', '2001:db8::1']],
    ['IPv4-mapped', ['::ffff:127.0.0.1', '::ffff:7f00:1', '::ffff:10.0.0.1', '0:0:0:0:0:ffff:a9fe:a9fe']],
    ['IPv4-compatible', ['::127.0.0.1', '::7f00:1', '::a00:1', '::808:808']],
    ['translated', ['64:ff9b::127.0.0.1', '64:ff9b::808:808', '64:ff9b:1::1', '::ffff:0:127.0.0.1']],
    ['6to4 and Teredo', ['2002:7f00:1::', '2002:808:808::1', '2001:0:808:808::1']],
    ['beyond the public block', ['4000::1', '100::1', 'fec0::1', '5f00::1']],
    ['no address', ['', 'localhost', '127.1', '0x7f.1', '2130706433', '0177.0.0.1', '8.8.8.8.', '[::1]', ' 8.8.8.8']],
  ])('refuses what is %s', (_kind, addresses) => {
    expect(addresses.filter((address) => publicOnly.allows(address))).toEqual([]);
  });

  it('allows the networks of the operator, and no more', () => {
    const policy = new AddressPolicy(['10.1.0.0/16', '127.0.0.1/32', 'fd00:1::/32']);
    expect(['10.1.2.3', '127.0.0.1', '::ffff:10.1.0.1', 'fd00:1:2::3', '8.8.8.8'].every((a) => policy.allows(a))).toBe(
      true,
    );
    expect(['10.2.0.0', '127.0.0.2', '::ffff:10.2.0.1', 'fd00:2::1', '::1'].some((a) => policy.allows(a))).toBe(false);
  });

  it('takes the whole of a protocol', () => {
    const policy = new AddressPolicy(['0.0.0.0/0']);
    expect(policy.allows('127.0.0.1')).toBe(true);
    expect(policy.allows('::1')).toBe(false);
  });

  it.each([
    '',
    '10.0.0.1',
    '10.0.0.0/33',
    '10.0.0.0/-1',
    '10.0.0.0/8/8',
    '10.0.0.0/ 8',
    '10.0.0.0/',
    '10.0/8',
    '0x0a.0.0.0/8',
    'fd00::/129',
    'fe80::1%eth0/64',
    'localhost/8',
    '::ffff:10.0.0.0/104',
  ])('names the bad network %j', (cidr) => {
    expect(() => new AddressPolicy(['10.0.0.0/8', cidr])).toThrow(`"${cidr}"`);
  });
});
