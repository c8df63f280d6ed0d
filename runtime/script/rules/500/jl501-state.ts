/** @file JL501: a field is assigned in a method. In: assignments to `this.x`. Out: a report, unless it is declared as state. */
import type { Context } from '../../context.ts';
import { defineRule } from '../../define.ts';
import { before, fix, imported, indentOf } from '../../edits.ts';
import { classOf } from '../../facts/functions.ts';
import { decorators } from '../../facts/reach.ts';
import { isAssignment, isStep } from '../../facts/writes.ts';
import { ts, type TS } from '../../typescript.ts';

export const state = defineRule({
  code: 'JL501',
  title: 'A field is assigned in forward',
  severity: 'error',
  doc: `
    What a module keeps from call to call is part of it: a \`Buffer\`, or a field marked \`@jit.state\`. An assignment to any other
    field would be lost, or would make the graph out of date.`,
  pytorch: '“Tried to set nonexistent attribute.” Attributes must be declared in the constructor.',
  on: ['BinaryExpression', 'PrefixUnaryExpression', 'PostfixUnaryExpression'],
  check(node, context) {
    const target = ts.isBinaryExpression(node)
      ? isAssignment(node)
        ? node.left
        : undefined
      : isStep(node)
        ? node.operand
        : undefined;
    if (!target || !ts.isPropertyAccessExpression(target) || target.expression.kind !== ts.SyntaxKind.ThisKeyword) return;
    const { types } = context;
    const symbol = types.symbol(target.name);
    const declaration = symbol?.declarations?.find((d) => ts.isPropertyDeclaration(d) || ts.isParameter(d));
    const name = target.name.text;
    if (symbol && (symbol.flags & ts.SymbolFlags.Accessor) !== 0) return;
    if (!symbol || !declaration) {
      context.report(target, `‘${name}’ is not declared in the constructor`, { fixes: [declare(node, name, context)] });
      return;
    }
    if (types.isClass(types.checker.getTypeOfSymbol(symbol), 'Buffer')) return;
    if (decorators(declaration, types).includes('jit.state')) return;
    context.report(target, `‘${name}’ is not a buffer and not marked @jit.state`, {
      related: [{ message: 'declared here', node: declaration }],
      fixes: [mark(declaration, context)],
    });
  },
  bad: [
    `class Counter extends jit.ScriptModule {
      calls = 0;
      forward(x: Tensor): Tensor {
        this.calls += 1;
      //^^^^^^^^^^ JL501: ‘calls’ is not a buffer and not marked @jit.state
        return x;
      }
    }`,
    `class Memory extends jit.ScriptModule {
      last: Tensor = zeros([1]);
      forward(x: Tensor): Tensor {
        this.last = x;
      //^^^^^^^^^ JL501
        return x;
      }
    }`,
  ],
  good: [
    `class Mean extends jit.ScriptModule {
      mean: nn.Buffer = new nn.Buffer(zeros([1]));
      @jit.state last: Tensor = zeros([1]);
      forward(x: Tensor): Tensor {
        this.last = x;
        return x;
      }
    }`,
    `class Mean extends jit.ScriptModule {
      calls: number;
      constructor() {
        super();
        this.calls = 0;
      }
      forward(x: Tensor): Tensor {
        return x.mul(this.calls);
      }
    }`,
  ],
});

function mark(declaration: TS.Declaration, { file }: Context) {
  if (!ts.isPropertyDeclaration(declaration) || declaration.getSourceFile() !== file) return undefined;
  if (declaration.modifiers?.some((m) => m.kind === ts.SyntaxKind.ReadonlyKeyword || m.kind === ts.SyntaxKind.StaticKeyword))
    return undefined;
  const jit = imported(file, 'jit');
  return fix('Mark it @jit.state', before(declaration, `@${jit.text}.state `), jit.changes);
}

function declare(node: TS.Expression, name: string, { file, types }: Context) {
  const owner = classOf(node);
  const [member] = owner?.members ?? [];
  if (!member || !ts.isBinaryExpression(node) || !types.isTensor(types.of(node.right))) return undefined;
  const [jit, tensor] = [imported(file, 'jit'), imported(file, 'Tensor', true)];
  return fix(
    'Declare it as state',
    before(member, `@${jit.text}.state ${name}?: ${tensor.text};\n${indentOf(member)}`),
    jit.changes,
    tensor.changes,
  );
}
