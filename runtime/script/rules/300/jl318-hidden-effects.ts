/** @file JL318: setters, proxies, accessors with effects, `delete`. In: their uses. Out: a report. */
import type { Context } from '../../context.ts';
import { defineRule } from '../../define.ts';
import { some } from '../../facts/functions.ts';
import { isAssignment, isStep } from '../../facts/writes.ts';
import { ts, type TS } from '../../typescript.ts';

export const hiddenEffects = defineRule({
  code: 'JL318',
  title: 'An effect that the code does not show',
  severity: 'error',
  doc: `
    A setter, a Proxy and a getter that changes something run code where none is to be seen, and \`delete\` changes what an object
    is. A getter that only computes is fine.`,
  pytorch: 'Properties are compiled, setters too, where they are annotated; `del` is refused for attributes.',
  on: ['DeleteExpression', 'NewExpression', 'PropertyAccessExpression'],
  check(node, context) {
    if (ts.isDeleteExpression(node)) context.report(node, '‘delete’ changes what an object is');
    else if (ts.isNewExpression(node)) {
      const symbol = node.expression.getText() === 'Proxy' ? context.types.symbol(node.expression) : undefined;
      if (symbol && context.types.isHost(symbol)) context.report(node, 'a Proxy runs code that is not to be seen');
    } else accessor(node, context);
  },
  bad: [
    `const options: { a?: number } = { a: 1 };
    delete options.a;
  //^^^^^^^^^^^^^^^^ JL318: ‘delete’ changes what an object is
    return x;`,
    `let reads = 0;
    class Scale extends jit.ScriptModule {
      get scale(): number { reads = reads + 1; return 2; }
      forward(x: Tensor): Tensor {
        return x.mul(this.scale);
                        //^^^^^ JL318: reading ‘scale’ has an effect
      }
    }`,
    `class Scale extends jit.ScriptModule {
      private kept = 1;
      set scale(value: number) { this.kept = value; }
      forward(x: Tensor): Tensor {
        this.scale = 3;
           //^^^^^ JL318: assigning ‘scale’ runs a setter
        return x.mul(this.kept);
      }
    }`,
  ],
  good: [
    `class Scale extends jit.ScriptModule {
      readonly half = 1;
      get scale(): number { return this.half * 2; }
      forward(x: Tensor): Tensor {
        return x.mul(this.scale).mul(this.training ? 1 : 2);
      }
    }`,
    `const options = { a: 1 };
    return x.mul(options.a);`,
  ],
});

function accessor(node: TS.PropertyAccessExpression, context: Context): void {
  const symbol = context.types.symbol(node.name);
  if (!symbol || (symbol.flags & ts.SymbolFlags.Accessor) === 0 || context.types.isOwn(symbol)) return;
  const { parent } = node;
  const set = ts.isBinaryExpression(parent) && parent.left === node && isAssignment(parent);
  if (set) {
    context.report(node.name, `assigning ‘${node.name.text}’ runs a setter`);
    return;
  }
  context.lookBeyond();
  const getter = symbol.declarations?.find(ts.isGetAccessor);
  if (getter?.body && some(getter.body, changes)) {
    context.report(node.name, `reading ‘${node.name.text}’ has an effect`, {
      related: [{ message: 'the getter', node: getter.name }],
    });
  }
}

function changes(node: TS.Node): boolean {
  if (ts.isBinaryExpression(node)) return isAssignment(node);
  return (ts.isPrefixUnaryExpression(node) || ts.isPostfixUnaryExpression(node)) && isStep(node);
}
