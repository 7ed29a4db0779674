import { parsePointer, textAt, valueAt } from './json-pointer.js';

const DOCUMENT = {
  messages: [{ id: 7, 'a/b': 'slash', 'm~n': 'tilde', '': 'empty' }],
  text: 'x',
  big: 2 ** 60,
  no: null,
};

it.each([
  ['/messages/0/id', '7'],
  ['/messages/0/a~1b', 'slash'],
  ['/messages/0/m~0n', 'tilde'],
  ['/messages/0/', 'empty'],
  ['/text', 'x'],
  ['/big', null],
  ['/no', null],
  ['/messages', null],
  ['/messages/1/id', null],
  ['/messages/00/id', null],
  ['/messages/length', null],
  ['/text/length', null],
  ['/constructor/name', null],
  ['/__proto__', null],
  ['', null],
])('finds at %s: %p', (text, found) => {
  expect(textAt(DOCUMENT, parsePointer(text)!)).toBe(found);
});

it('finds the document itself, and nothing in what is none', () => {
  expect(valueAt(DOCUMENT, parsePointer('')!)).toBe(DOCUMENT);
  for (const nothing of [undefined, null, 7, 'text', true]) expect(textAt(nothing, ['id'])).toBeNull();
});

it.each(['id', '/a~', '/a~2b', `/${'a/'.repeat(20)}`])('reads no pointer from %s', (text) => {
  expect(parsePointer(text)).toBeNull();
});
