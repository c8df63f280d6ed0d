/** @file JL216: `try`. In: the statement. Out: a report at the word. */
import type { Context, FoundFix } from '../../context.ts';
import { defineRule } from '../../define.ts';
import { change, freeName, indentOf, replace } from '../../edits.ts';
import { scriptedHere } from '../../signature.ts';
import { ts, type TS } from '../../typescript.ts';

export const tryCatch = defineRule({
  code: 'JL216',
  title: 'try cannot be compiled',
  severity: 'error',
  doc: `
    A graph runs on the GPU, which cannot stop in the middle and go on somewhere else. Put the \`try\` around the call of the
    scripted function. \`throw\` is allowed. The quick fix does so where the \`try\` is all that the function is, and its block returns; in the
    middle of a function, only who wrote it knows what must be done again after a failure.`,
  pytorch: '`try` is not supported there either.',
  on: 'TryStatement',
  check(node, context) {
    context.report(
      { start: node.getStart(), end: node.getStart() + 'try'.length },
      'move the try around the call to the scripted function',
      { fixes: [around(node, context)] },
    );
  },
  bad: [
    `try {
  //^^^ JL216: move the try around the call to the scripted function
      return x.relu();
    } catch {
      return y;
    }`,
    `const f = jit.script(async (x: Tensor, y: Tensor) => {
      try {
    //^^^ JL216
        return x.div(await x.sum().item());
      } catch {
        return y;
      }
    });
    export const shown = await f(ones([2]), zeros([2]));`,
    `let z = x;
    try {
  //^^^ JL216
      z = z.add(1);
    } finally {
      z = z.mul(2);
    }
    return z;`,
  ],
  good: [
    `if (n < 0) throw new RangeError(\`n is \${n}\`);
    return x;`,
    `import { jit, type Tensor } from 'jitlens';
    const inner = jit.script((x: Tensor) => x.relu());
    export function outer(x: Tensor): Tensor {
      try {
        return inner(x);
      } catch {
        return x;
      }
    }`,
  ],
});

/** The block becomes a scripted function of its own, which the old name calls inside the `try`. */
function around(node: TS.TryStatement, context: Context): FoundFix | undefined {
  const scripted = scriptedHere(context);
  const { fn } = scripted ?? {};
  if (!fn || !ts.isArrowFunction(fn) || !ts.isBlock(fn.body) || node.parent !== fn.body || fn.body.statements.length > 1)
    return undefined;
  if (!node.tryBlock.statements.some(ts.isReturnStatement) || !fn.parameters.every((p) => isPlain(p))) return undefined;
  const call = fn.parent as TS.CallExpression;
  const list = call.parent.parent;
  if (!ts.isVariableDeclarationList(list) || list.declarations.length > 1 || !ts.isVariableStatement(list.parent))
    return undefined;
  const { name } = call.parent as TS.VariableDeclaration;
  const inner = freeName(context.file, `${name.getText()}Inner`);
  const head = fn.getText().slice(0, fn.body.getStart() - fn.getStart());
  const isAsync = fn.modifiers?.some((m) => m.kind === ts.SyntaxKind.AsyncKeyword);
  const run = `${isAsync ? 'await ' : ''}${inner}(${fn.parameters.map((p) => p.name.getText()).join(', ')})`;
  const rest = node.getText().slice(node.tryBlock.end - node.getStart());
  const indent = indentOf(node);
  const outer = `${head}{\n${indent}try {\n${indent}  return ${run};\n${indent}}${rest}\n${indentOf(list)}}`;
  const scriptedInner = `const ${inner} = ${call.expression.getText()}(${head}${node.tryBlock.getText()});\n`;
  const start = list.parent.getStart(undefined, true);
  return change('Move the try around a scripted function of its own', replace(call, outer), {
    start,
    end: start,
    text: scriptedInner,
  });
}

function isPlain(parameter: TS.ParameterDeclaration): boolean {
  return ts.isIdentifier(parameter.name) && !parameter.dotDotDotToken && !parameter.initializer;
}
