import type { OpenAPIObject } from '@nestjs/swagger';
import { ReferenceDocument } from './reference-document.js';

const DOCUMENT = { openapi: '3.0.0' } as OpenAPIObject;

it('is made once, for all who ask', async () => {
  let made = 0;
  const reference = new ReferenceDocument();
  reference.from(async () => {
    made++;
    return DOCUMENT;
  });
  expect(made).toBe(0);
  expect(await Promise.all([reference.get(), reference.get()])).toEqual([DOCUMENT, DOCUMENT]);
  expect(await reference.get()).toBe(DOCUMENT);
  expect(made).toBe(1);
});

it('is made anew where that failed', async () => {
  const results = [Promise.reject(new Error('too many open files')), Promise.resolve(DOCUMENT)];
  const reference = new ReferenceDocument();
  reference.from(() => results.shift()!);
  await expect(reference.get()).rejects.toThrow('too many open files');
  expect(await reference.get()).toBe(DOCUMENT);
});
