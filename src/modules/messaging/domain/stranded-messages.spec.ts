import { type StrandedMessage, StrandedMessages } from './stranded-messages.js';

const message = (id: string, accountId = 'a'): StrandedMessage => ({ queue: 'q', lane: 'normal', accountId, id });

describe('the messages that nobody can carry at present', () => {
  it('are set aside, and due when their time is over', () => {
    const stranded = new StrandedMessages();
    stranded.add(message('1'), 0);
    stranded.add(message('2', 'b'), 1_000);
    expect([stranded.has('1'), stranded.countOf('a'), stranded.countOf('b')]).toEqual([true, 1, 1]);
    expect(stranded.due(1_999)).toEqual([]);
    expect(stranded.due(2_200)).toEqual([message('1')]);
    expect([stranded.has('1'), stranded.countOf('a'), stranded.has('2')]).toEqual([false, 0, true]);
    expect(stranded.due(2_500)).toEqual([]);
    expect(stranded.due(3_000)).toEqual([message('2', 'b')]);
  });

  it('stay aside the longer the more often they were, up to half a minute', () => {
    const stranded = new StrandedMessages();
    const waits: number[] = [];
    for (let tries = 0, now = 0; tries < 7; tries++) {
      stranded.add(message('1'), now);
      const since = now;
      while (stranded.due(now).length === 0) now += 200;
      waits.push(now - since);
    }
    expect(waits).toEqual([2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000]);
  });

  it('are forgotten with their tries, once each in the count of their account', () => {
    const stranded = new StrandedMessages();
    stranded.add(message('1'), 0);
    stranded.add(message('1'), 0);
    expect(stranded.countOf('a')).toBe(1);
    stranded.delete('1');
    stranded.delete('1');
    expect([stranded.countOf('a'), stranded.has('1')]).toEqual([0, false]);
    stranded.add(message('1'), 0);
    expect(stranded.due(2_000)).toHaveLength(1);
    stranded.delete('1');
    expect(stranded.countOf('a')).toBe(0);
  });

  it('are a bounded number', () => {
    const stranded = new StrandedMessages();
    for (let id = 0; stranded.hasRoomFor(String(id)); id++) stranded.add(message(String(id)), 0);
    expect(stranded.countOf('a')).toBe(10_000);
    expect([stranded.hasRoomFor('0'), stranded.hasRoomFor('another')]).toEqual([true, false]);
    stranded.clear();
    expect([stranded.hasRoomFor('another'), stranded.countOf('a')]).toEqual([true, 0]);
  });
});
