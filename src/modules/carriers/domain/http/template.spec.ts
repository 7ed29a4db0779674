import fc from 'fast-check';
import { parseTemplate, placeholdersOf, render, TemplateError } from './template.js';

const VALUES = new Map([
  ['to', '+15555550100'],
  ['text', 'hi {{to}}'],
  ['secrets.key', 's3cret'],
]);

it('puts values in the places of their names, and reads none of them again', () => {
  expect(render(parseTemplate('to={{to}}&text={{text}};{{secrets.key}}'), VALUES)).toBe(
    'to=+15555550100&text=hi {{to}};s3cret',
  );
  expect(render(parseTemplate('{{to}}'), VALUES, encodeURIComponent)).toBe('%2B15555550100');
  expect(render(parseTemplate('{ "a": {} }'), VALUES)).toBe('{ "a": {} }');
  expect(render(parseTemplate(''), VALUES)).toBe('');
  expect(placeholdersOf(parseTemplate('{{to}} {{secrets.a}} {{to}}'))).toEqual(['to', 'secrets.a', 'to']);
});

it.each([
  ['a {{to', 'a {{ is not closed'],
  ['a }} b', 'a }} has no {{ before it'],
  ['{{to}} }}', 'a }} has no {{ before it'],
  ['{{to }}', '{{to }} is no placeholder'],
  ['{{}}', '{{}} is no placeholder'],
  ['{{{to}}}', '{{{to}} is no placeholder'],
  ['{{constructor}}', '{{constructor}} is no placeholder'],
  ['{{secrets.}}', '{{secrets.}} is no placeholder'],
  ['{{secrets.__proto__}}', '{{secrets.__proto__}} is no placeholder'],
])('refuses %s', (text, message) => {
  expect(() => parseTemplate(text)).toThrow(TemplateError);
  expect(() => parseTemplate(text)).toThrow(message);
});

it('is the text itself where there is no brace pair', () => {
  const plain = fc.string({ unit: 'grapheme' }).filter((text) => !text.includes('{{') && !text.includes('}}'));
  fc.assert(fc.property(plain, (text) => render(parseTemplate(text), new Map()) === text));
});
