import { closeSync, fstatSync, ftruncateSync, openSync, writeSync } from 'node:fs';
import { readLines } from './line-reader.js';
import type { Submission, SubmissionPage } from './simulated-carrier.js';

/** Another process writes to the file: one of the two has to go, and whoever notices is the one. */
export class RecordConflict extends Error {
  constructor(path: string) {
    super(`another process writes to ${path}`);
    this.name = 'RecordConflict';
  }
}

/** A submission, and whether its sender is owed a receipt. */
export interface RecordedSubmission extends Submission {
  readonly receiptDue: boolean;
}

const CHECKPOINT_EVERY = 1024;
const MAX_PAGE_OCTETS = 4 * 1024 * 1024;
const SEQUENCE_DIGITS = 9;
const SUBMISSION_PREFIX = Buffer.from('{"sequence":');
const SETTLED_PREFIX = Buffer.from('{"settled":');
const RECEIPT_DUE_SUFFIX = Buffer.from('"receiptDue":true}');
const DIGIT_ZERO = 0x30;

/**
 * A carrier's own record of what it was given: a file of JSON lines that only grows. Its first line says when it was
 * begun, each other line is a submission, or lists submissions whose receipt is settled. What append() returned from
 * survives a kill of the process. A line that a kill cut off was never answered for, and is taken away at the next open.
 */
export class SubmissionRecord {
  /** Position of every 1,024th submission, so that a page is found without reading all before it. */
  private readonly checkpoints: number[] = [];
  private readonly unsettled = new Set<number>();
  private begun = '';
  private last = 0;
  private size = 0;

  private constructor(
    private readonly path: string,
    private readonly fd: number,
  ) {}

  /** Opens the record of that file, which is made where there is none. */
  static open(path: string): SubmissionRecord {
    const record = new SubmissionRecord(path, openSync(path, 'a+'));
    record.recover();
    return record;
  }

  /** How many submissions it holds, which is also the sequence number of the last one. */
  get lastSequence(): number {
    return this.last;
  }

  /** The id of the submission with that sequence number: no other record begins in the same millisecond. */
  idOf(sequence: number): string {
    return this.begun + sequence.toString(16).padStart(SEQUENCE_DIGITS, '0');
  }

  /** Writes submissions, which go on from lastSequence, and settled receipts, all at once or, if it throws, nothing. */
  append(submissions: readonly RecordedSubmission[], settled: readonly number[]): void {
    if (fstatSync(this.fd).size !== this.size) throw new RecordConflict(this.path);
    let text = '';
    const begins: number[] = [];
    for (const submission of submissions) {
      if (isCheckpoint(submission.sequence)) begins.push(this.size + Buffer.byteLength(text));
      text += `${lineOf(submission)}\n`;
    }
    if (settled.length > 0) text += `${JSON.stringify({ settled })}\n`;
    this.write(Buffer.from(text));
    this.checkpoints.push(...begins);
    this.last += submissions.length;
  }

  /** The submissions after a sequence number, oldest first. A page ends early where its texts are very long. */
  page(after: number, limit: number): SubmissionPage {
    const data: Submission[] = [];
    const from = this.positionBefore(after + 1);
    let octets = 0;
    for (const line of readLines(this.fd, from, this.size)) {
      if (!isSubmission(line.octets) || sequenceOf(line.octets) <= after) continue;
      const { receiptDue, ...submission } = parseSubmission(line.octets);
      data.push(submission);
      octets += line.octets.length;
      if (data.length === limit || octets >= MAX_PAGE_OCTETS) break;
    }
    return { data, hasMore: (data.at(-1)?.sequence ?? this.last) < this.last };
  }

  /** The submissions whose receipt was not settled when the record was opened, oldest first. To be read once. */
  *takeUnsettled(): Generator<Submission> {
    const [first] = this.unsettled;
    if (first === undefined) return;
    for (const line of readLines(this.fd, this.positionBefore(first), this.size)) {
      if (isSubmission(line.octets) && this.unsettled.delete(sequenceOf(line.octets)))
        yield parseSubmission(line.octets);
      if (this.unsettled.size === 0) return;
    }
  }

  close(): void {
    closeSync(this.fd);
  }

  private recover(): void {
    const { size } = fstatSync(this.fd);
    try {
      for (const line of readLines(this.fd, 0, size)) {
        this.recoverLine(line.octets);
        this.size = line.end;
      }
    } catch (cause) {
      throw new Error(`${this.path} is damaged after octet ${this.size}`, { cause });
    }
    ftruncateSync(this.fd, this.size);
    if (this.size > 0) return;
    this.begun = Date.now().toString(16);
    this.write(Buffer.from(`${JSON.stringify({ begun: this.begun })}\n`));
  }

  private recoverLine(octets: Buffer): void {
    if (isSubmission(octets)) {
      this.last = sequenceOf(octets);
      if (isCheckpoint(this.last)) this.checkpoints.push(this.size);
      const suffixAt = octets.length - RECEIPT_DUE_SUFFIX.length;
      if (holds(octets, suffixAt, RECEIPT_DUE_SUFFIX)) this.unsettled.add(this.last);
    } else if (holds(octets, 0, SETTLED_PREFIX)) {
      const { settled } = JSON.parse(octets.toString()) as { settled: number[] };
      for (const sequence of settled) this.unsettled.delete(sequence);
    } else {
      this.begun = (JSON.parse(octets.toString()) as { begun: string }).begun;
    }
  }

  private positionBefore(sequence: number): number {
    return this.checkpoints[Math.floor((sequence - 1) / CHECKPOINT_EVERY)] ?? this.size;
  }

  private write(octets: Buffer): void {
    try {
      for (let written = 0; written < octets.length; ) written += writeSync(this.fd, octets, written);
    } catch (error) {
      ftruncateSync(this.fd, this.size);
      throw error;
    }
    this.size += octets.length;
  }
}

function isCheckpoint(sequence: number): boolean {
  return sequence % CHECKPOINT_EVERY === 1;
}

/** Its first key and its last are where recovery looks for them. */
function lineOf({ sequence, receiptDue, ...rest }: RecordedSubmission): string {
  return JSON.stringify({ sequence, ...rest, receiptDue });
}

// Most lines of a record are only passed over, so that these two look at octets: parsing costs ten times as much.

function isSubmission(octets: Buffer): boolean {
  return holds(octets, 0, SUBMISSION_PREFIX);
}

function sequenceOf(octets: Buffer): number {
  let sequence = 0;
  for (let at = SUBMISSION_PREFIX.length; at < octets.length; at += 1) {
    const digit = octets[at]! - DIGIT_ZERO;
    if (digit < 0 || digit > 9) break;
    sequence = sequence * 10 + digit;
  }
  return sequence;
}

/** Whether the octets at that position are those. */
function holds(octets: Buffer, position: number, wanted: Buffer): boolean {
  for (let i = 0; i < wanted.length; i += 1) {
    if (octets[position + i] !== wanted[i]) return false;
  }
  return true;
}

function parseSubmission(octets: Buffer): RecordedSubmission {
  return JSON.parse(octets.toString()) as RecordedSubmission;
}
