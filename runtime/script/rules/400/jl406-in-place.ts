/** @file JL406: a write in place that others see. In: `x.add_(…)`. Out: a warning on inputs and buffers, an error on shared memory. */
import type { Context } from '../../context.ts';
import { defineRule } from '../../define.ts';
import { fix, replace } from '../../edits.ts';
import { baseOf, inPlaceCall, sharedWith } from '../../facts/aliases.ts';
import { loopsAround, readsOf } from '../../facts/flow.ts';
import { bare } from '../../facts/functions.ts';
import { isConst, variableOf } from '../../facts/writes.ts';
import { ts, type TS } from '../../typescript.ts';

export const inPlace = defineRule({
  code: 'JL406',
  title: 'A write in place that others see',
  severity: 'error',
  doc: `
    Writing in place into a tensor that the function made itself is fine: it becomes a pure op. A write into an input or a buffer
    is an effect that the caller sees, and is kept. A write into memory that another name reads later, or into a parameter that
    is trained, is refused: use the form that gives a new tensor.`,
  pytorch: 'Allowed with aliasing analysis; a leaf that needs a gradient is refused at run time.',
  on: 'CallExpression',
  check(node, context) {
    const call = inPlaceCall(node, context);
    if (!call || withoutGradients(node, context)) return;
    const target = bare(call.on);
    const type = context.type(target);
    const instead = { fixes: [outOfPlace(call, context)] };
    if (context.types.isClass(type, 'Parameter')) {
      context.report(call.nameNode, `‘${context.text(target)}’ needs a gradient, so it cannot be written in place`, instead);
      return;
    }
    const base = baseOf(call.on, context);
    const symbol = base && context.types.symbol(base);
    if (!base || !symbol || !context.unit) {
      if (context.types.isClass(type, 'Buffer'))
        context.report(call.nameNode, `‘${context.text(target)}’ is a buffer: the write stays`, { severity: 'warning' });
      return;
    }
    const shared = sharedWith(symbol, context.unit, context);
    const [loop] = loopsAround(node, context.unit).slice(-1);
    const later = readsOf(context.unit, (id) => {
      const other = context.types.symbol(id);
      return other !== undefined && shared.has(other);
    }).find((id) => id.pos >= node.end || (loop && id.pos >= loop.pos && id.end <= loop.end && id !== base && !makes(id)));
    if (later) {
      context.report(
        call.nameNode,
        `‘${base.text}’ shares memory with ‘${later.text}’, read later at line ${context.line(later)}`,
        {
          ...instead,
          related: [{ message: `‘${later.text}’ is read here`, node: later }],
        },
      );
      return;
    }
    const declaration = variableOf(symbol);
    const input = [symbol, ...shared].some((s) => s.declarations?.some((d) => ts.isParameter(d) && d.parent === context.unit));
    if (input && declaration) {
      context.report(call.nameNode, `‘${base.text}’ is an input: the caller sees this write`, {
        ...instead,
        severity: 'warning',
      });
    }
  },
  bad: [
    `x.add_(1);
    //^^^^ JL406: ‘x’ is an input: the caller sees this write
    return x;`,
    `const z = x.relu();
    const row = z.select(0, 0);
    row.add_(1);
      //^^^^ JL406: ‘row’ shares memory with ‘z’, read later at line 7
    return z;`,
    `class Scale extends jit.ScriptModule {
      readonly weight = new nn.Parameter(ones([3]));
      forward(x: Tensor): Tensor {
        this.weight.mul_(2);
                  //^^^^ JL406: ‘this.weight’ needs a gradient, so it cannot be written in place
        return x.mul(this.weight);
      }
    }`,
  ],
  good: [
    `const out = zeros([3, 4]);
    for (const i of range(3)) out.slice(0, i, i + 1).add_(x);
    return out.view([12]);`,
    `let z = x.relu();
    z.add_(1);
    return z.mul_(2);`,
  ],
});

/** Whether it stands in `noGrad(() => …)`. */
function withoutGradients(node: TS.Node, { types }: Context): boolean {
  for (let at = node.parent as TS.Node | undefined; at; at = at.parent) {
    if (ts.isCallExpression(at) && /noGrad$/.test(types.ownName(at.expression) ?? '')) return true;
  }
  return false;
}

/** Whether the name stands where another view is made of it. */
function makes(id: TS.Node): boolean {
  for (let at = id.parent as TS.Node | undefined; at && !ts.isStatement(at); at = at.parent)
    if (ts.isVariableDeclaration(at)) return true;
  return false;
}

function outOfPlace(
  {
    name,
    on,
    call,
    nameNode,
  }: { readonly name: string; readonly on: TS.Expression; readonly call: TS.CallExpression; readonly nameNode: TS.Node },
  { types }: Context,
) {
  const plain = name.slice(0, -1);
  if (!types.of(on).getProperty(plain)) return undefined;
  const rename = replace(nameNode, plain);
  if (!ts.isExpressionStatement(call.parent)) return fix(`Use ${plain}()`, rename);
  const declaration = ts.isIdentifier(on) ? variableOf(types.symbol(on)) : undefined;
  if (!declaration || isConst(declaration)) return undefined;
  return fix(`Use ${plain}()`, { start: on.getStart(), end: on.getStart(), text: `${on.getText()} = ` }, rename);
}
