/** @file JL112, JL113: constructs with types that are allowed, so that there is a page to read about each. */
import { defineNote } from '../../define.ts';

export const enums = defineNote({
  code: 'JL112',
  title: 'Enums are constants',
  doc: 'A member of an `enum` or `const enum` is the constant that it stands for, and can be used as one.',
  pytorch: 'Enums are values of their own there.',
  good: [
    `enum Mode { Fast = 1, Exact = 2 }
    export const f = jit.script((x: Tensor) => x.mul(Mode.Exact));`,
    `const enum Side { Left, Right }
    export const f = jit.script((x: Tensor, side: Side) => (side === Side.Left ? x : x.neg()));`,
  ],
});

export const generics = defineNote({
  code: 'JL113',
  title: 'Generic functions',
  doc: 'A generic function is compiled for the types of each call, as if it were written out there.',
  pytorch: 'There are no generic functions in TorchScript.',
  good: [
    `function pick<T extends Tensor>(first: T, _second: T): T { return first; }
    export const f = jit.script((x: Tensor, y: Tensor) => pick(x, y).relu());`,
    `function both<A, B>(a: A, b: B): [A, B] { return [a, b]; }
    export const f = jit.script((x: Tensor) => both(x, 2)[0]);`,
  ],
});
