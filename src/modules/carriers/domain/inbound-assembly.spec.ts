import { newId } from '../../../shared/sid.js';
import type { Arrival, InboundMessage, InboundPart } from './inbound.js';
import { type Assembled, assemble, fingerprintOf, giveUp } from './inbound-assembly.js';

function arrival(text: string, over: Partial<Arrival> = {}): Arrival {
  return {
    id: newId(),
    carrier: 'a',
    from: '+15551234567',
    to: '+15005550006',
    alphabet: 'latin1',
    octets: Buffer.from(text),
    concatenation: null,
    session: 'one',
    openSessions: ['one'],
    receivedAtMs: 1,
    ...over,
  };
}

function part(text: string, number: number, total: number, over: Partial<Arrival> = {}): Arrival {
  return arrival(text, { concatenation: { reference: 7, part: number, total }, ...over });
}

/** What is kept after a group, for the next one. */
function kept(before: readonly InboundPart[], { newParts, joined }: Assembled): InboundPart[] {
  const inbound = new Map(joined.map(({ id, inboundId }) => [id, inboundId]));
  return [...before.map((one) => ({ ...one, inboundId: inbound.get(one.id) ?? one.inboundId })), ...newParts];
}

/** Each arrival as a group of its own. */
function oneByOne(arrivals: readonly Arrival[]) {
  let parts: InboundPart[] = [];
  let messages: InboundMessage[] = [];
  const repeated: string[] = [];
  for (const one of arrivals) {
    const assembled = assemble([one], parts, messages);
    const heard = new Map(assembled.repeated.map(({ id, session }) => [id, session]));
    const later = <T extends { id: string; session: string | null }>(each: T) => ({
      ...each,
      session: heard.get(each.id) ?? each.session,
    });
    parts = kept(parts, assembled).map(later);
    messages = [...messages, ...assembled.messages].map(later);
    repeated.push(...assembled.repeated.map(({ carrier }) => carrier));
  }
  return { parts, messages, repeated };
}

const texts = ({ messages }: Pick<Assembled, 'messages'>) => messages.map(({ text }) => text);
const OTHER = { session: 'two', openSessions: ['two'] };

describe('a message that stands alone', () => {
  it('is one', () => {
    const one = arrival('hi');
    expect(assemble([one], [], [])).toMatchObject({
      messages: [{ id: one.id, text: 'hi', encoding: 'GSM-7', segments: 1, missing: 0, session: 'one' }],
      newParts: [],
      joined: [],
      repeated: [],
    });
  });

  it('is one again where its sender says the same, through the same session or beside it', () => {
    expect(texts(oneByOne([arrival('yes'), arrival('yes')]))).toEqual(['yes', 'yes']);
    const beside = arrival('yes', { session: 'two', openSessions: ['one', 'two'] });
    expect(texts(oneByOne([arrival('yes'), beside]))).toEqual(['yes', 'yes']);
  });

  it('is known where the carrier brings it again after its session has ended', () => {
    const told = oneByOne([arrival('yes'), arrival('yes', OTHER), arrival('no', OTHER)]);
    expect([texts(told), told.repeated]).toEqual([['yes', 'no'], ['a']]);
  });

  it('is known within one group', () => {
    const told = assemble([arrival('yes'), arrival('yes', OTHER)], [], []);
    expect([texts(told), told.repeated]).toMatchObject([['yes'], [{ carrier: 'a', session: 'two' }]]);
  });

  it('is one again after a repetition of it has been confirmed', () => {
    const said = [arrival('yes'), arrival('yes', OTHER), arrival('yes', OTHER)];
    for (const told of [oneByOne(said), assemble(said, [], [])]) expect(texts(told)).toEqual(['yes', 'yes']);
  });

  it('is another one from, or to, somebody else, or through another carrier', () => {
    const all = [{}, { from: '+1' }, { to: '+2' }, { carrier: 'b' }].map((over) =>
      arrival('yes', { ...OTHER, ...over }),
    );
    expect(oneByOne(all).messages).toHaveLength(4);
    expect(new Set(all.map(fingerprintOf)).size).toBe(4);
  });

  it('is not written twice where the answer to the first attempt was lost', () => {
    const one = arrival('yes');
    const { messages } = assemble([one], [], []);
    expect(assemble([one], [], messages)).toEqual({ messages: [], newParts: [], joined: [], repeated: [] });
  });
});

describe('a message of several parts', () => {
  const three = () => [part('a', 1, 3), part('b', 2, 3), part('c', 3, 3)];

  it.each([
    ['in order', [0, 1, 2]],
    ['backwards', [2, 1, 0]],
    ['anyhow', [1, 2, 0]],
  ])('is whole with its last part, %s', (_, order) => {
    const parts = three();
    const arrivals = order.map((index) => parts[index]!);
    const last = [...parts].sort((x, y) => (x.id < y.id ? 1 : -1))[0]!;
    for (const told of [oneByOne(arrivals), assemble(arrivals, [], [])]) {
      expect(told.messages).toMatchObject([{ id: last.id, text: 'abc', segments: 3, missing: 0, fingerprint: null }]);
    }
    expect(oneByOne(arrivals).parts.every(({ inboundId }) => inboundId === last.id)).toBe(true);
  });

  it('waits while a part is missing', () => {
    const told = oneByOne(three().slice(0, 2));
    expect([texts(told), told.parts.map(({ inboundId }) => inboundId)]).toEqual([[], [null, null]]);
  });

  it('is told from those of other senders, references and numbers of parts', () => {
    const others = [
      part('x', 2, 2, { from: '+1' }),
      part('x', 2, 2, { to: '+2' }),
      part('x', 2, 2, { carrier: 'b' }),
      part('x', 2, 3),
      part('x', 2, 2, { concatenation: { reference: 8, part: 2, total: 2 } }),
    ];
    expect(texts(oneByOne([part('a', 1, 2), ...others, part('b', 2, 2)]))).toEqual(['ab']);
  });

  it('takes a part that comes again for the same while it waits', () => {
    const told = oneByOne([part('a', 1, 2), part('a', 1, 2), part('b', 2, 2)]);
    expect([texts(told), told.repeated]).toEqual([['ab'], ['a']]);
  });

  it('takes its last part for the same where the carrier brings it again through another session', () => {
    const told = oneByOne([part('a', 1, 2), part('b', 2, 2), part('b', 2, 2, OTHER)]);
    expect([texts(told), told.repeated, told.parts.length]).toEqual([['ab'], ['a'], 2]);
  });

  it('is another one where its sender says the same again with the same reference', () => {
    const again = [part('a', 1, 2), part('b', 2, 2)];
    expect(texts(oneByOne([part('a', 1, 2), part('b', 2, 2), ...again]))).toEqual(['ab', 'ab']);
  });

  it('is given up where another one with its reference begins', () => {
    const told = oneByOne([part('a', 1, 2), part('c', 1, 2), part('d', 2, 2)]);
    expect(told.messages.map(({ text, missing }) => [text, missing])).toEqual([
      ['a', 1],
      ['cd', 0],
    ]);
  });

  it('is not written twice where the answer to the first attempt was lost', () => {
    const [first, second] = [part('a', 1, 2), part('b', 2, 2)];
    const before = kept([], assemble([first], [], []));
    const after = kept(before, assemble([second], before, []));
    expect(assemble([second], after, [])).toEqual({ messages: [], newParts: [], joined: [], repeated: [] });
  });

  it('is given up as it is when its time is over', () => {
    const { parts } = oneByOne([part('c', 3, 3), part('a', 1, 3), part('x', 1, 2, { from: '+1' })]);
    const told = giveUp(parts);
    expect(told.messages.map(({ text, segments, missing }) => [text, segments, missing])).toEqual([
      ['ac', 2, 1],
      ['x', 1, 1],
    ]);
    expect(told.joined).toHaveLength(3);
    expect(giveUp(kept(parts, told))).toEqual({ messages: [], newParts: [], joined: [], repeated: [] });
  });
});
