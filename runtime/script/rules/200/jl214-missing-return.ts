/** @file JL214: a path ends without a result. In: a function. Out: a report at its closing brace, with the return it has. */
import type { Context } from '../../context.ts';
import { defineRule } from '../../define.ts';
import { before, fix } from '../../edits.ts';
import { leaves, returnsOf } from '../../facts/flow.ts';
import type { FunctionNode } from '../../facts/functions.ts';
import { ts, type TS } from '../../typescript.ts';

export const missingReturn = defineRule({
  code: 'JL214',
  title: 'Not every path returns',
  severity: 'error',
  doc: `
    A function in a graph has one result. Returning early is fine, but where one path returns a value, every path must: one that
    ends at the closing brace gives \`undefined\`.`,
  pytorch: '“Expected a return statement on every path.” A path without return gives None there.',
  on: ['FunctionDeclaration', 'MethodDeclaration', 'FunctionExpression', 'ArrowFunction'],
  check,
  bad: [
    `const pick = (v: Tensor) => {
      if (n > 1) return v;
    };
  //^ JL214: not every path returns (see line 4)
    return x;`,
    `function pick(v: Tensor): Tensor | undefined {
      for (const i of range(n)) {
        if (i > 2) return v.mul(i);
      }
    }
  //^ JL214
    return x;`,
    `export const g = jit.script((x: Tensor, n: number) => {
      if (n > 2) return x.mul(2);
      if (n > 1) return;
               //^^^^^^^ JL214
      return x;
    });`,
  ],
  good: [
    `if (n > 1) return x;
    return y;`,
    `const show = (v: Tensor): void => {
      if (n > 1) return;
      v.relu();
    };
    show(x);
    return x;`,
    `const pick = (mode: 'a' | 'b'): Tensor => {
      switch (mode) {
        case 'a':
          return x;
        case 'b':
          return y;
      }
    };
    return pick('a');`,
  ],
});

function check(fn: FunctionNode, context: Context): void {
  const { body } = fn;
  if (!body || !ts.isBlock(body)) return;
  const returns = returnsOf(body);
  const first = returns.find((node) => node.expression);
  if (!first) return;
  const related = [{ message: 'returns a value here', node: first }];
  for (const node of returns)
    if (!node.expression) context.report(node, `not every path returns (see line ${context.line(first)})`, { related });
  if (!endsOpen(body, context)) return;
  const brace = { start: body.end - 1, end: body.end };
  context.report(brace, `not every path returns (see line ${context.line(first)})`, {
    related,
    fixes: [giveBack(fn, body, context)],
  });
}

function endsOpen(body: TS.Block, { types }: Context): boolean {
  if (body.statements.some(leaves)) return false;
  const last = body.statements.at(-1);
  if (!last || !ts.isSwitchStatement(last)) return true;
  // A switch over all members of a union needs no default.
  const type = types.of(last.expression);
  const members = (type.isUnion() ? type.types : [type]).map((t) => types.checker.typeToString(t));
  const cases = new Set(
    last.caseBlock.clauses.map((c) => (ts.isCaseClause(c) ? types.checker.typeToString(types.of(c.expression)) : '')),
  );
  const end = last.caseBlock.clauses.at(-1);
  return !(members.every((m) => cases.has(m)) && end?.statements.some(leaves));
}

/** Returns the first tensor that it was given. */
function giveBack(fn: FunctionNode, body: TS.Block, { types }: Context) {
  const parameter = fn.parameters.find((p) => ts.isIdentifier(p.name) && types.isTensor(types.of(p)));
  if (!parameter) return undefined;
  const name = parameter.name.getText();
  const brace = body.getLastToken();
  return (
    brace &&
    fix(
      `Return ‘${name}’ at the end`,
      before(brace, `  return ${name};\n${/[ \t]*$/.exec(body.getText().slice(0, -1))?.[0] ?? ''}`),
    )
  );
}
