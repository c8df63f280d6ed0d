/** @file JL507: a call of what is kept out of graphs. In: calls. Out: a warning. */
import { defineRule } from '../../define.ts';
import { declaredFunctions } from '../../facts/functions.ts';
import { isExcluded } from '../../facts/reach.ts';
import { ts } from '../../typescript.ts';

export const excludedCall = defineRule({
  code: 'JL507',
  title: 'A call of what is kept out of the graph',
  severity: 'warning',
  doc: `
    A method marked \`@jit.unused\` is not compiled: the call throws when it is reached. One marked \`@jit.ignore\` runs on the
    host: the graph is cut there, and cannot be saved.`,
  pytorch: 'The same: `@torch.jit.unused` raises, `@torch.jit.ignore` calls Python and cannot be saved.',
  on: 'CallExpression',
  check(node, context) {
    const { types } = context;
    const name = ts.isPropertyAccessExpression(node.expression) ? node.expression.name : node.expression;
    if (!ts.isIdentifier(name)) return;
    const symbol = types.symbol(name);
    const direct = declaredFunctions(symbol).map((fn) => isExcluded(fn, types));
    const declaration = symbol?.declarations?.find(ts.isVariableDeclaration)?.initializer;
    const made = declaration && ts.isCallExpression(declaration) ? types.ownName(declaration.expression) : undefined;
    const kept = [...direct, made].find((k) => k === 'jit.unused' || k === 'jit.ignore');
    if (kept === undefined) return;
    context.report(
      node.expression,
      kept === 'jit.unused'
        ? `‘${context.text(node.expression)}’ is not compiled: this throws when it is reached`
        : `‘${context.text(node.expression)}’ runs on the host: the graph is cut here and cannot be saved`,
    );
  },
  bad: [
    `class Block extends jit.ScriptModule {
      @jit.unused debug(x: Tensor): Tensor { return x; }
      forward(x: Tensor): Tensor {
        return this.debug(x);
             //^^^^^^^^^^ JL507: ‘this.debug’ is not compiled: this throws when it is reached
      }
    }`,
    `class Block extends jit.ScriptModule {
      @jit.ignore host(x: Tensor): Tensor { return x; }
      forward(x: Tensor): Tensor {
        return this.host(x);
             //^^^^^^^^^ JL507: ‘this.host’ runs on the host: the graph is cut here and cannot be saved
      }
    }`,
  ],
  good: [
    `class Block extends jit.ScriptModule {
      @jit.unused debug(x: Tensor): Tensor { return x; }
      forward(x: Tensor): Tensor {
        return x.relu();
      }
    }`,
    `class Block extends jit.ScriptModule {
      helper(x: Tensor): Tensor { return x; }
      forward(x: Tensor): Tensor {
        return this.helper(x);
      }
    }`,
  ],
});
