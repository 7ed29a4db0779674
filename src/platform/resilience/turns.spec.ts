import { Turns } from './turns.js';

const SETTINGS = { running: 2, waiting: 2, maxWaitMs: 1000 };
const here = () => false;

function record(turns: Turns) {
  const seen: string[] = [];
  const enter = (name: string, isGone = here) =>
    turns.enter(
      isGone,
      () => seen.push(`start ${name}`),
      () => seen.push(`refuse ${name}`),
    );
  return { seen, enter };
}

describe('turns', () => {
  it('lets few run, some wait in order, and refuses the rest at once', () => {
    const turns = new Turns(SETTINGS, () => 0);
    const { seen, enter } = record(turns);
    for (const name of ['a', 'b', 'c', 'd', 'e']) enter(name);
    expect(seen).toEqual(['start a', 'start b', 'refuse e']);
    turns.end();
    turns.end();
    expect(seen.slice(3)).toEqual(['start c', 'start d']);
    turns.end();
    turns.end();
    expect([turns.running, turns.waiting]).toEqual([0, 0]);
  });

  it('passes over who has gone or has waited too long', () => {
    let nowMs = 0;
    const turns = new Turns({ ...SETTINGS, running: 1, waiting: 5 }, () => nowMs);
    const { seen, enter } = record(turns);
    enter('a');
    enter('slow');
    nowMs = 900;
    enter('gone', () => true);
    enter('b');
    nowMs = 1100;
    turns.end();
    expect(seen).toEqual(['start a', 'refuse slow', 'refuse gone', 'start b']);
  });
});
