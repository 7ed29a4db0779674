import fc from 'fast-check';
import { type Route, RouteTable } from './route-table.js';

const route = (prefix: string, carrier: string, priority = 1, weight = 1): Route => ({
  prefix,
  carrier,
  priority,
  weight,
});

it('goes by the longest prefix, and by no other', () => {
  const table = new RouteTable([route('', 'world'), route('+1', 'america'), route('+1555', 'tests')]);
  expect(table.carriers('+15551234567', 0)).toEqual(['tests']);
  expect(table.carriers('+12125550100', 0)).toEqual(['america']);
  expect(table.carriers('+442079460000', 0)).toEqual(['world']);
});

it('knows no way where there is none', () => {
  expect(new RouteTable([]).carriers('+15551234567', 0)).toEqual([]);
  expect(new RouteTable([route('+1', 'america')]).carriers('+442079460000', 0)).toEqual([]);
});

it('goes by priority, then by weight', () => {
  const table = new RouteTable([
    route('', 'last', 3),
    route('', 'a', 2, 1),
    route('', 'b', 2, 3),
    route('', 'first', 1),
  ]);
  expect(table.carriers('+1', 0)).toEqual(['first', 'a', 'b', 'last']);
  expect(table.carriers('+1', 0.24)).toEqual(['first', 'a', 'b', 'last']);
  expect(table.carriers('+1', 0.26)).toEqual(['first', 'b', 'a', 'last']);
  expect(table.carriers('+1', 0.99)).toEqual(['first', 'b', 'a', 'last']);
});

it('knows who stands in for whom', () => {
  const table = new RouteTable([route('+1', 'a'), route('+1', 'b'), route('+44', 'c'), route('+44', 'a')]);
  expect(table.standIns('a')).toEqual(new Set(['b', 'c']));
  expect(table.standIns('b')).toEqual(new Set(['a']));
  expect(table.standIns('nobody')).toBeNull();
});

it('names every carrier of the prefix once, in the order of their priorities, whatever the draw', () => {
  const routes = fc.uniqueArray(
    fc.record({
      prefix: fc.constant('+1'),
      carrier: fc.string({ minLength: 1, maxLength: 3 }),
      priority: fc.integer({ min: 0, max: 3 }),
      weight: fc.integer({ min: 1, max: 1000 }),
    }),
    { selector: ({ carrier }) => carrier, minLength: 1, maxLength: 8 },
  );
  const draw = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
  fc.assert(
    fc.property(routes, draw, (all, chance) => {
      const names = new RouteTable(all).carriers('+15551234567', chance);
      const priorities = names.map((name) => all.find(({ carrier }) => carrier === name)!.priority);
      expect([...names].sort()).toEqual(all.map(({ carrier }) => carrier).sort());
      expect(priorities).toEqual([...priorities].sort((a, b) => a - b));
    }),
  );
});

it('shares by weight', () => {
  const table = new RouteTable([route('', 'a', 1, 1), route('', 'b', 1, 3)]);
  const draws = Array.from({ length: 1000 }, (_, index) => index / 1000);
  expect(draws.filter((draw) => table.carriers('+1', draw)[0] === 'a')).toHaveLength(250);
});
