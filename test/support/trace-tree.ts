import type { ReceivedSpan } from './otlp-receiver.js';

/** A trace as text: a line for each span, below its parent, in the order in which they began. */
export function traceTree(spans: readonly ReceivedSpan[], lineOf: (span: ReceivedSpan) => string): string[] {
  const known = new Set(spans.map((span) => span.spanId));
  const childrenOf = (parent: string | null) =>
    spans
      .filter((span) => (parent === null ? !known.has(span.parentSpanId ?? '') : span.parentSpanId === parent))
      .sort((a, b) => a.startMs - b.startMs || (a.name < b.name ? -1 : 1));
  const branch = (span: ReceivedSpan, indent: string, isLast: boolean, isRoot: boolean): string[] => {
    const own = `${indent}${isRoot ? '' : isLast ? '└─ ' : '├─ '}${lineOf(span)}`;
    const below = isRoot ? '' : `${indent}${isLast ? '   ' : '│  '}`;
    const children = childrenOf(span.spanId);
    return [own, ...children.flatMap((child, at) => branch(child, below, at === children.length - 1, false))];
  };
  return childrenOf(null).flatMap((root) => branch(root, '', true, true));
}

/** Name, kind and process of a span, and when it began and how long it took, in milliseconds from the trace's beginning. */
export function timedLine(beganMs: number): (span: ReceivedSpan) => string {
  return (span) => {
    const from = (span.startMs - beganMs).toFixed(1);
    const took = (span.endMs - span.startMs).toFixed(1);
    return `${span.name}  [${span.roles}, ${span.kind}]  at ${from} ms for ${took} ms`;
  };
}
