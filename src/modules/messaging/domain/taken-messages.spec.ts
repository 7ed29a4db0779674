import { TakenMessages } from './taken-messages.js';

describe('the messages that were handed over', () => {
  it('are counted by account, each once', () => {
    const taken = new TakenMessages();
    taken.add('1', 'a', 0);
    taken.add('1', 'a', 1);
    taken.add('2', 'b', 0);
    expect([taken.size, taken.countOf('a'), taken.countOf('b'), taken.countOf('c')]).toEqual([2, 1, 1, 0]);
    taken.delete('1');
    taken.delete('1');
    expect([taken.size, taken.countOf('a'), taken.has('1'), taken.has('2')]).toEqual([1, 0, false, true]);
  });

  it('are forgotten when they are old, or all at once', () => {
    const taken = new TakenMessages();
    taken.add('old', 'a', 10);
    taken.add('new', 'a', 20);
    taken.forgetBefore(20);
    expect([taken.has('old'), taken.has('new'), taken.countOf('a')]).toEqual([false, true, 1]);
    taken.clear();
    expect([taken.size, taken.countOf('a')]).toEqual([0, 0]);
  });
});
