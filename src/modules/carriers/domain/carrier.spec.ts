import { amend, needsReopening, type StoredCarrier } from './carrier.js';

const CARRIER: StoredCarrier = {
  name: 'carrier',
  type: 'smpp',
  host: 'smsc.example.com',
  port: 2775,
  systemId: 'someone',
  password: Buffer.from('sealed'),
  bind: 'transceiver',
  windowSize: 10,
  tps: null,
  state: 'active',
  version: 3,
  smpp: { binds: 2, resultOverrides: { '0x0B': { class: 'retryable', errorCode: null } } },
  streamId: '',
  createdAt: new Date(0),
  updatedAt: new Date(0),
};

describe('a change', () => {
  it('of nothing is none', () => {
    const same = { ...CARRIER.smpp, concatenation: 'udh', alternates: [] } as const;
    expect(amend(CARRIER, { windowSize: 10, smpp: same, tps: undefined })).toBe(CARRIER);
    expect(amend(CARRIER, { smpp: undefined })).toBe(CARRIER);
  });

  it('of some things leaves the others', () => {
    const changed = amend(CARRIER, { tps: 5, smpp: { concatenation: 'sar' } });
    expect(changed).toEqual({ ...CARRIER, tps: 5, version: 4, smpp: { ...CARRIER.smpp, concatenation: 'sar' } });
  });

  it('of a table replaces it', () => {
    expect(amend(CARRIER, { smpp: { resultOverrides: {} } }).smpp).toEqual({ binds: 2, resultOverrides: {} });
  });

  it.each([
    [{ smpp: { resultOverrides: {} } }, false],
    [{ smpp: { binds: 1 } }, true],
    [{ smpp: { concatenation: 'payload' } }, true],
    [{ smpp: { alternates: [{ host: 'a', port: 1 }] } }, true],
    [{ port: 1 }, true],
    [{ tps: 1 }, true],
    [{ state: 'draining' }, true],
    [{ password: Buffer.from('other') }, true],
  ] as const)('of %j needs a new session: %s', (patch, expected) => {
    expect(needsReopening(CARRIER, amend(CARRIER, patch))).toBe(expected);
  });
});
