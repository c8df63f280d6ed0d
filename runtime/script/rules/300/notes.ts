/** @file JL305: nested functions, which are allowed, so that there is a page to read about them. */
import { defineNote } from '../../define.ts';

export const nested = defineNote({
  code: 'JL305',
  title: 'Nested functions',
  doc: 'A function inside a function is written out where it is called.',
  pytorch: 'Nested functions are refused.',
  good: [
    `function twice(v: Tensor): Tensor { return v.mul(2); }
    return twice(twice(x));`,
    `const gate = (v: Tensor) => v.sigmoid().mul(y);
    return gate(x).add(gate(y));`,
  ],
});
