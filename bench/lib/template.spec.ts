import { Template } from './template.js';

describe('a template', () => {
  it('puts the number in every place, filled with zeros and cut to its width', () => {
    const template = new Template('To=%2B1555####&Body=no. ## of ########');
    expect(template.fill(7).toString()).toBe('To=%2B15550007&Body=no. 07 of 00000007');
    expect(template.fill(123_456).toString()).toBe('To=%2B15553456&Body=no. 56 of 00123456');
  });

  it('gives buffers of their own: a request under way is not changed by the next', () => {
    const template = new Template('#');
    const first = template.fill(1);
    template.fill(2);
    expect(first.toString()).toBe('1');
  });

  it('may have no place for a number', () => {
    expect(new Template('GET / HTTP/1.1').fill(5).toString()).toBe('GET / HTTP/1.1');
  });
});
