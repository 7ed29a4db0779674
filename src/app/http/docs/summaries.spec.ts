import { summaryOf } from './summaries.js';

describe('the summary of an operation that nobody has described', () => {
  it.each([
    ['GET', '/v1/things', 'List things'],
    ['GET', '/v1/things/{id}', 'Read a thing'],
    ['GET', '/v1/stats/today', 'Read today'],
    ['POST', '/v1/Services.json', 'Add a service'],
    ['POST', '/v1/opt-outs/{id}/restore', 'Restore'],
    ['PATCH', '/v1/entries/{id}', 'Change an entry'],
    ['PUT', '/v1/IncomingPhoneNumbers/{Sid}.json', 'Change an incoming phone number'],
    ['DELETE', '/v1/opt-outs/{id}', 'Remove an opt out'],
  ])('%s %s is "%s"', (method, path, summary) => {
    expect(summaryOf(method, path)).toBe(summary);
  });
});
