import { dialectOf } from './dialect.js';
import { RouteTable } from './route-table.js';

describe('the dialect of a path', () => {
  it.each([
    ['/2010-04-01', 'twilio'],
    ['/2010-04-01/Accounts.json?x=/v1', 'twilio'],
    ['/2010-04-01?x', 'twilio'],
    ['/2010-04-011/x', 'plain'],
    ['/v1/Services', 'twilio'],
    ['/v1/Services/MG1/PhoneNumbers', 'twilio'],
    ['/v1/messages', 'native'],
    ['/v1/operator/accounts', 'native'],
    ['/v1', 'native'],
    ['/v1/', 'native'],
    ['/v1?x=1', 'native'],
    ['/v10/Services', 'plain'],
    ['/', 'plain'],
    ['', 'plain'],
    ['/docs', 'plain'],
  ])('%j is %s', (path, dialect) => expect(dialectOf(path)).toBe(dialect));
});

describe('the table of routes', () => {
  const table = new RouteTable();
  table.add('GET', '/a/:Sid.json');
  table.add(['PUT', 'POST'], '/a/:Sid.json');
  table.add('DELETE', '/a/:x/b');
  table.add('GET', '/files/*');
  table.add('PATCH', '/a/fixed.json');

  it.each([
    ['/a/x.json', ['GET', 'POST', 'PUT']],
    ['/a/fixed.json', ['GET', 'PATCH', 'POST', 'PUT']],
    ['/a/xjson', []],
    ['/a//b', []],
    ['/a/c/b', ['DELETE']],
    ['/files/a/b', ['GET']],
    ['/', []],
  ])('knows for %s the methods %j', (path, methods) => expect(table.allowedMethods(path)).toEqual(methods));
});
