import { splitText } from './split-text.js';

const lengths = (text: string) => {
  const { encoding, parts } = splitText(text);
  expect(parts.join('')).toBe(text);
  return [encoding, ...parts.map(({ length }) => length)];
};

it.each<[string, (string | number)[]]>([
  ['', ['GSM-7', 0]],
  ['a'.repeat(160), ['GSM-7', 160]],
  ['a'.repeat(161), ['GSM-7', 153, 8]],
  [`${'a'.repeat(152)}€${'a'.repeat(10)}`, ['GSM-7', 152, 11]],
  ['я'.repeat(70), ['UCS-2', 70]],
  ['я'.repeat(71), ['UCS-2', 67, 4]],
  [`${'я'.repeat(66)}😀${'я'.repeat(10)}`, ['UCS-2', 66, 12]],
])('%j', (text, expected) => {
  expect(lengths(text)).toEqual(expected);
});
