import { appendFileSync, mkdtempSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { RecordConflict, type RecordedSubmission, SubmissionRecord } from './submission-record.js';

let directory: string;
let file: string;
const open: SubmissionRecord[] = [];

function openRecord(): SubmissionRecord {
  const record = SubmissionRecord.open(file);
  open.push(record);
  return record;
}

function reopen(): SubmissionRecord {
  for (const record of open.splice(0)) record.close();
  return openRecord();
}

/** The next submissions of a record. */
function next(record: SubmissionRecord, count: number, text = 'hello\n"world" €'): RecordedSubmission[] {
  return Array.from({ length: count }, (_, i) => {
    const sequence = record.lastSequence + i + 1;
    return {
      sequence,
      id: record.idOf(sequence),
      destination: '+15555550100',
      source: '+15005550006',
      text: `${text} ${sequence}`,
      time: '2026-11-20T12:34:56.789Z',
      reference: null,
      part: null,
      parts: null,
      receiptDue: sequence % 2 === 0,
    };
  });
}

beforeEach(() => {
  directory = mkdtempSync(path.join(tmpdir(), 'record-'));
  file = path.join(directory, 'carrier.ndjson');
});

afterEach(() => {
  for (const record of open.splice(0)) record.close();
  rmSync(directory, { recursive: true });
});

test('what was appended is there after a reopen, and the ids go on', () => {
  const first = openRecord();
  const submissions = next(first, 3);
  first.append(submissions, []);
  const { id } = submissions[0]!;
  const second = reopen();
  expect(second.lastSequence).toBe(3);
  expect(second.idOf(1)).toBe(id);
  second.append(next(second, 1), []);
  const { data, hasMore } = second.page(0, 10);
  expect(data.map(({ sequence }) => sequence)).toEqual([1, 2, 3, 4]);
  expect(new Set(data.map((each) => each.id)).size).toBe(4);
  expect(data[0]).toEqual({ ...submissions[0], receiptDue: undefined });
  expect(hasMore).toBe(false);
});

test('another record has other ids', async () => {
  const { idOf } = { idOf: openRecord().idOf(1) };
  for (const record of open.splice(0)) record.close();
  const before = Date.now();
  while (Date.now() === before);
  rmSync(file);
  expect(openRecord().idOf(1)).not.toBe(idOf);
});

test('pages follow each other in order, however long the record is', () => {
  const record = openRecord();
  while (record.lastSequence < 5_000) {
    record.append(next(record, 37), [record.lastSequence + 1]);
  }
  for (const each of [record, reopen()]) {
    const seen: number[] = [];
    for (let more = true; more; ) {
      const page = each.page(seen.at(-1) ?? 0, 700);
      seen.push(...page.data.map(({ sequence }) => sequence));
      more = page.hasMore;
    }
    expect(seen).toEqual(Array.from({ length: each.lastSequence }, (_, i) => i + 1));
    expect(each.page(4_000, 1).data[0]?.text).toBe('hello\n"world" € 4001');
    expect(each.page(each.lastSequence, 5)).toEqual({ data: [], hasMore: false });
    expect(each.page(1_000_000, 5)).toEqual({ data: [], hasMore: false });
  }
});

test('a page with long texts ends early', () => {
  const record = openRecord();
  for (let i = 0; i < 10; i += 1) record.append(next(record, 10, 'x'.repeat(60_000)), []);
  const { data, hasMore } = record.page(0, 100);
  expect(data.length).toBeLessThan(100);
  expect(hasMore).toBe(true);
});

test('receipts that are not settled are found again', () => {
  const first = openRecord();
  first.append(next(first, 10), []);
  first.append([], [2, 6]);
  const second = reopen();
  expect([...second.takeUnsettled()].map(({ sequence }) => sequence)).toEqual([4, 8, 10]);
  expect([...second.takeUnsettled()]).toEqual([]);
  second.append(next(second, 2), [4, 8, 10, 12]);
  expect([...reopen().takeUnsettled()]).toEqual([]);
});

test('a line that was cut off is taken away, wherever the cut is', () => {
  const record = openRecord();
  record.append(next(record, 2), []);
  const before = statSync(file).size;
  record.append(next(record, 1), []);
  const after = statSync(file).size;
  const whole = readFileSync(file);
  for (let size = before; size < after; size += 7) {
    writeFileSync(file, whole);
    truncateSync(file, size);
    const torn = reopen();
    expect(torn.lastSequence).toBe(2);
    torn.append(next(torn, 1), []);
    expect(torn.page(0, 10).data).toHaveLength(3);
  }
  writeFileSync(file, whole.subarray(0, 5));
  expect(reopen().lastSequence).toBe(0);
});

test('a record that is damaged elsewhere is not opened', () => {
  openRecord();
  appendFileSync(file, 'nonsense\n');
  expect(() => SubmissionRecord.open(file)).toThrow(/carrier\.ndjson is damaged after octet \d+/);
});

test('of two writers the one that notices stops', () => {
  const stale = openRecord();
  const fresh = openRecord();
  fresh.append(next(fresh, 1), []);
  expect(() => stale.append(next(stale, 1), [])).toThrow(RecordConflict);
  expect(fresh.page(0, 10).data).toHaveLength(1);
});
