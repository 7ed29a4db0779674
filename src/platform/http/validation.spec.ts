import { z } from 'zod';
import { isFailure } from '../../shared/failure.js';
import { ValidationPipe } from './validation.js';

const pipe = new ValidationPipe();

async function refusal(schema: z.ZodType, value: unknown) {
  try {
    await pipe.transform(value, { type: 'body', schema });
  } catch (error) {
    if (isFailure(error)) return { name: error.failure, message: error.message, ...error.options };
    throw error;
  }
  throw new Error('it was accepted');
}

const schema = z.strictObject({
  To: z.string(),
  size: z.int().max(5).optional(),
  list: z.array(z.object({ a: z.string() })).optional(),
});

describe('validation', () => {
  it('gives what the schema makes of a value', async () => {
    const trimming = z.object({ name: z.string().trim() });
    expect(await pipe.transform({ name: ' x ' }, { type: 'body', schema: trimming })).toEqual({ name: 'x' });
    expect(await pipe.transform('untouched', { type: 'body' })).toBe('untouched');
  });

  it('names every parameter at fault, the first one first', async () => {
    expect(await refusal(schema, { size: 9, list: [{ a: 'x' }, { a: 1 }], nope: 1, 'no\npe': 2 })).toEqual({
      name: 'invalid_parameter',
      message: "'To': is required",
      field: 'To',
      detail: "'To': is required",
      errors: [
        { field: 'To', message: 'is required' },
        { field: 'size', message: 'Too big: expected number to be <=5' },
        { field: 'list.1.a', message: 'Invalid input: expected string, received number' },
        { field: 'nope', message: 'is not known here' },
        { field: 'no?pe', message: 'is not known here' },
      ],
    });
  });

  it('says that a parameter was repeated', async () => {
    expect(await refusal(schema, { To: ['a', 'b'] })).toMatchObject({
      field: 'To',
      message: "'To': must be one text, given once",
    });
  });

  it('names the body where it is none', async () => {
    expect(await refusal(schema, 'text')).toMatchObject({ field: 'body' });
  });

  it('lets a refinement choose the failure', async () => {
    const choosing = z.object({ To: z.string().refine(() => false, { params: { failure: 'invalid_to' } }) });
    expect(await refusal(choosing, { To: 'x' })).toMatchObject({
      name: 'invalid_to',
      field: 'To',
      message: "The 'To' number is not a valid phone number",
    });
    const confused = z.object({ To: z.string().refine(() => false, { params: { failure: 'toString' } }) });
    expect(await refusal(confused, { To: 'x' })).toMatchObject({ name: 'invalid_parameter' });
  });

  it('names no more than a bounded number', async () => {
    const many = Object.fromEntries(Array.from({ length: 500 }, (_, i) => [`k${i}`, 1]));
    expect((await refusal(schema, { To: 'x', ...many })).errors).toHaveLength(20);
    const items = Array.from({ length: 500 }, () => ({ a: 1 }));
    expect((await refusal(schema, { To: 'x', list: items })).errors).toHaveLength(20);
  });
});
