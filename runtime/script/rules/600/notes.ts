/** @file JL601–JL612: what a trace finds when it runs. They have pages here; the tracer finds them. */
import { defineNote } from '../../define.ts';

type Page = readonly [code: string, title: string, doc: string, pytorch?: string];

const pages: readonly Page[] = [
  [
    'JL601',
    'A value of the host is baked',
    'A number that was computed outside the ops, from a shape or a read, stands in the trace as the constant that it was.',
    'A TracerWarning for `int()`, `float()` and `bool()` of a tensor; silence for the rest.',
  ],
  [
    'JL602',
    'A loop is unrolled from a shape',
    'The loop turned as often as a size said, and the trace holds that many turns. Another size is traced anew.',
    'The turns are kept silently: traced with 4 rows and called with 8, it sums 4.',
  ],
  [
    'JL603',
    'A captured tensor is baked',
    'The traced code used a tensor that is neither an argument nor part of the module. The trace holds on to it.',
    'It becomes a constant, and one that needs a gradient is refused.',
  ],
  [
    'JL604',
    'A plain argument is baked',
    'An argument that is no tensor stands in the trace as the value that it had, guarded: another value is traced anew.',
    'Arguments other than tensors are refused.',
  ],
  [
    'JL605',
    'A side effect happens once',
    'Code that is no op (a counter, a print, a write to a field) ran while tracing, and does not run again.',
    'Silent.',
  ],
  [
    'JL606',
    'Training or use is baked',
    'The traced code asked whether the module trains. The trace holds the answer, guarded: the other mode is traced anew.',
    'Silent.',
  ],
  [
    'JL607',
    'Random numbers',
    'The traced code draws random numbers, anew in each run, so two runs differ.',
    '“Trace had nondeterministic nodes.”',
  ],
  [
    'JL608',
    'A container that a trace cannot follow',
    'Arguments and results are tensors, plain values, and arrays and plain objects of these.',
    'Dictionaries need `strict=False`.',
  ],
  [
    'JL609',
    'A write in place that cannot be expressed',
    'The traced code writes into an input or a view in a way that the graph cannot say exactly.',
    'Recorded, and wrong for some views.',
  ],
  [
    'JL610',
    'No tensor comes out',
    'The traced code gives no tensor, or a promise, or there is no such method.',
    '“Only tensors … can be output from traced functions.”',
  ],
  [
    'JL611',
    'A second trace diverged',
    'Traced again with other inputs, the code called other ops. Its control flow depends on values or shapes: script it.',
    '“Graphs differed across invocations!”, when checking.',
  ],
  [
    'JL612',
    'An arm that the trace never took',
    'An `if` went one way while tracing. The other arm is not in the trace: script the function to keep both.',
    'Silent.',
  ],
];

export const traceNotes = pages.map(([code, title, doc, pytorch]) => defineNote({ code, title, doc, pytorch }));
