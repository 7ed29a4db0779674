import { isFailure } from '../../shared/failure.js';
import { parseJsonBody } from './json-body.js';
import { MAX_DEPTH, MAX_NODES } from './text-check.js';

const parse = (text: string) => parseJsonBody(Buffer.from(text));

function refusal(text: string): { field: string | undefined; message: string } {
  try {
    parse(text);
  } catch (error) {
    if (isFailure(error)) return { field: error.field, message: error.message };
    throw error;
  }
  throw new Error('it was accepted');
}

describe('a JSON body', () => {
  it('is what it says', () => {
    expect(parse('{"name":"Grüße 😀","list":[1,null,true,{"a":"b"}]}')).toEqual({
      name: 'Grüße 😀',
      list: [1, null, true, { a: 'b' }],
    });
    expect(parse('"text"')).toBe('text');
  });

  it('is an empty object where it is empty', () => expect({ ...(parse('') as object) }).toEqual({}));

  it.each([
    ['{"name":"a\\u0000b"}', 'name'],
    ['{"name":"\\ud800"}', 'name'],
    ['{"list":["a",{"deep":"\\udc00"}]}', 'list.1.deep'],
    ['{"a\\u0000b":1}', 'a?b'],
    ['{"a":{"__proto__":{"x":1}}}', 'a.__proto__'],
    ['"\\u0000"', 'body'],
  ])('refuses %s and names %s', (text, field) => expect(refusal(text).field).toBe(field));

  it.each(['{', '{"a":1,}', 'nope', '\ufeff{}', '{"password":"hunter2"'])('refuses %j without quoting it', (text) => {
    expect(refusal(text).message).toBe('The body is not valid JSON');
  });

  it('refuses what is no UTF-8', () => {
    expect(() => parseJsonBody(Buffer.from([0x22, 0xff, 0x22]))).toThrow('not valid UTF-8');
  });

  it('may be nested and filled to a bound', () => {
    const nested = (depth: number) => '['.repeat(depth) + ']'.repeat(depth);
    const filled = (nodes: number) => JSON.stringify(new Array(nodes - 1).fill(0));
    expect(() => parse(nested(MAX_DEPTH))).not.toThrow();
    expect(refusal(nested(MAX_DEPTH + 1)).message).toContain('32 levels');
    expect(refusal(nested(100_000)).message).toContain('32 levels');
    expect(() => parse(filled(MAX_NODES))).not.toThrow();
    expect(refusal(filled(MAX_NODES + 1)).message).toContain('10000 values');
  });

  it('may use the names of inherited members', () => {
    expect(parse('{"constructor":1,"toString":2}')).toEqual({ constructor: 1, toString: 2 });
  });
});
