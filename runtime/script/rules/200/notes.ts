/** @file JL202, JL208, JL217: control flow that is allowed, so that there is a page to read about each. */
import { defineNote } from '../../define.ts';

export const tupleLoop = defineNote({
  code: 'JL202',
  title: 'Loops over a tuple',
  doc: 'A loop over a tuple, `[0, 1, 2] as const`, is always written out. `break` and `continue` are fine in it.',
  pytorch: 'A loop over a tuple is unrolled as well, and `break` in it is refused.',
  good: [
    `let z = x;
    for (const k of [1, 2, 3] as const) {
      if (k === 2) continue;
      z = z.add(k);
    }
    return z;`,
    `const ks: readonly [number, number] = [1, n];
    let z = x;
    for (const k of ks) z = z.add(k);
    return z;`,
  ],
});

export const doWhile = defineNote({
  code: 'JL208',
  title: 'do…while',
  doc: 'A `do…while` is its body once, then a `while`.',
  pytorch: 'Python has no such loop.',
  good: [
    `let i = 0;
    do i += 1; while (i < n);
    return x.mul(i);`,
    `let z = x;
    let i = 0;
    do {
      z = z.add(i);
      i += 2;
    } while (i < 10);
    return z;`,
  ],
});

export const raises = defineNote({
  code: 'JL217',
  title: 'throw',
  doc: `
    \`throw new Error(...)\` becomes a raise: the run fails with that message when the path is taken. Numbers and strings in the
    message are kept. A tensor in it must be read first. What was assigned to the module's state before it stays.`,
  pytorch: '`raise` is allowed; the message is lost in some versions.',
  good: [
    `if (n < 1) throw new RangeError(\`n must be 1 or more, not \${n}\`);
    return x;`,
    `if (x.rank !== 2) throw new Error('a matrix is wanted');
    return x;`,
  ],
});
