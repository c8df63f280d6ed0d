/** @file JL206: `for…in`. In: the loop. Out: a report at its variable, with the range that walks an array's places. */
import { defineRule } from '../../define.ts';
import { fix, imported, operand } from '../../edits.ts';
import { ts } from '../../typescript.ts';

export const forIn = defineRule({
  code: 'JL206',
  title: 'for…in walks names',
  severity: 'error',
  doc: `
    \`for…in\` walks property names, as strings, in an order that depends on how the object was built. A graph has no property
    names. Walk the values with \`for…of\`, or the places of an array with \`range\`.`,
  on: 'ForInStatement',
  check(loop, context) {
    const { types } = context;
    const { expression, initializer, statement } = loop;
    const type = context.type(expression);
    const made = imported(context.file, 'range');
    const array = types.checker.isArrayType(type) || types.checker.isTupleType(type);
    const declares = ts.isVariableDeclarationList(initializer);
    context.report(initializer, `‘${context.text(expression)}’ is walked by property name, as strings; use for…of`, {
      fixes: [
        array && declares
          ? fix(
              'Walk its places with range',
              { start: initializer.end, end: statement.getStart(), text: ` of ${made.text}(${operand(expression)}.length)) ` },
              made.changes,
            )
          : undefined,
      ],
    });
  },
  bad: [
    `const ns = [1, 2, 3] as const;
    let z = x;
    for (const k in ns) z = z.add(1);
       //^^^^^^^ JL206: ‘ns’ is walked by property name, as strings; use for…of
    return z;`,
    `let z = x;
    for (const k in { a: 1, b: 2 }) z = z.add(1);
       //^^^^^^^ JL206
    return z;`,
  ],
  good: [
    `const ns = [1, 2, 3] as const;
    let z = x;
    for (const k of ns) z = z.add(k);
    return z;`,
    `let z = x;
    for (const k of range(3)) z = z.add(k);
    return z;`,
  ],
});
