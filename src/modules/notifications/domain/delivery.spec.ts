import { errorOf, healthOf, originOf, verdictOf } from './delivery.js';

const answer = (status: number) => ({ kind: 'response', status, retryAfterMs: null }) as const;
const failure = (permanent: boolean) => ({ kind: 'failure', reason: 'timeout', permanent }) as const;
const unsent = { kind: 'unsent', reason: 'busy' } as const;

describe('an attempt', () => {
  it.each([
    [[200, 201, 204, 299], 'delivered', true],
    [[300, 301, 302, 307, 308], 'retry', true],
    [[400, 401, 403, 404, 410, 422, 499], 'dead', true],
    [[408, 429], 'retry', false],
    [[500, 502, 503, 504, 599], 'retry', false],
  ])('answered with one of %j means %s', (statuses, verdict, isWell) => {
    for (const status of statuses) {
      expect([status, verdictOf(answer(status)), healthOf(answer(status))]).toEqual([status, verdict, isWell]);
    }
  });

  it('that got no answer is repeated, unless it never can succeed', () => {
    expect([verdictOf(failure(false)), healthOf(failure(false))]).toEqual(['retry', false]);
    expect([verdictOf(failure(true)), healthOf(failure(true))]).toEqual(['dead', null]);
  });

  it('that was not made says nothing', () => {
    expect([verdictOf(unsent), healthOf(unsent)]).toEqual(['unsent', null]);
  });

  it('is remembered by what went wrong', () => {
    expect([answer(204), answer(500), failure(false)].map(errorOf)).toEqual([null, 'HTTP 500', 'timeout']);
  });
});

describe('an endpoint', () => {
  it.each([
    ['https://Example.com/a?b', 'https://example.com'],
    ['HTTPS://example.com:8443?x', 'https://example.com:8443'],
    ['http://user:pass@example.com#f', 'http://user:pass@example.com'],
    ['nonsense', ''],
    ['', ''],
  ])('of %s is %s', (url, origin) => {
    expect(originOf(url)).toBe(origin);
  });
});
