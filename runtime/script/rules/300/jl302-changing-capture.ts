/** @file JL302: an outer variable that changes. In: names. Out: a report at the first use, with what changes it. */
import type { Context } from '../../context.ts';
import { defineRule } from '../../define.ts';
import { change, fix, remove, replace } from '../../edits.ts';
import { captured, type Capture } from '../../facts/captures.ts';
import { isFunction } from '../../facts/functions.ts';
import { isConst } from '../../facts/writes.ts';
import { plainType, withParameter } from '../../signature.ts';
import { ts } from '../../typescript.ts';

export const changingCapture = defineRule({
  code: 'JL302',
  title: 'An outer variable that changes',
  severity: 'error',
  traced: true,
  doc: `
    What a function takes from outside is written into the graph when it is compiled. A \`let\` that is assigned later, or an
    object whose fields change, would be out of date from then on. Make it a parameter, or a \`const\`.
    The quick fix adds the parameter to a \`const f = jit.script(...)\` and the argument to its calls in the file. There is none
    for a function that others are given, or that modules inherit: not all their calls are in sight.`,
  pytorch: 'Globals are read when the function is compiled, and later changes are ignored silently.',
  on: 'Identifier',
  check(node, context) {
    const capture = captured(node, context);
    if (!capture) return;
    const { types, writes } = context;
    context.lookBeyond();
    const writesOf = writes.of(capture.symbol, context.file);
    const kind = types.kinds(context.type(node))[0];
    // Tensors and modules change by ops and by training, which graphs know about.
    const held = kind === 'tensor' || kind === 'module' || kind === 'function';
    const change = writesOf.find((w) => w.kind === 'assign') ?? (held ? undefined : writesOf.find((w) => w.kind === 'mutate'));
    if (!change || !context.once(capture.symbol)) return;
    const line = context.line(change.node);
    const verb = change.kind === 'assign' ? 'assigned' : 'changed';
    context.report(node, `‘${node.text}’ can change after compilation (${verb} at line ${line})`, {
      related: [{ message: `${verb} here`, node: change.node }],
      fixes: [asConst(capture, context), asParameter(capture, context)],
    });
  },
  bad: [
    `let k = 2;
    export function setK(value: number): void { k = value; }
    export const f = jit.script((x: Tensor) => x.mul(k));
                                                   //^ JL302: ‘k’ can change after compilation (assigned at line 3)`,
    `const config = { scale: 2 };
    config.scale = 3;
    export const f = jit.script((x: Tensor) => x.mul(config.scale));
                                                   //^^^^^^ JL302: ‘config’ can change after compilation (changed at line 3)`,
    `let width: number;
    width = 4;
    export const f = jit.script((x: Tensor) => x.view([width, -1]));
                                                     //^^^^^ JL302`,
    `let k = 2;
    export function setK(value: number): void { k = value; }
    const f = jit.script(() => ones([2]).mul(k));
                                           //^ JL302
    export const shown = [f(), f()];`,
  ],
  good: [
    `let k = 2;
    export const f = jit.script((x: Tensor) => x.mul(k));`,
    `const config = { scale: 2 };
    export const f = jit.script((x: Tensor) => x.mul(config.scale));`,
  ],
});

/** Its value at the time of each call, which is what an eager run reads. */
function asParameter({ symbol, declaration }: Capture, context: Context) {
  const { types, file } = context;
  // A name of an outer scope may mean nothing where the function is called.
  if (!ts.isVariableDeclaration(declaration) || declaration.getSourceFile() !== file) return undefined;
  if (!ts.isSourceFile(declaration.parent.parent.parent)) return undefined;
  const type = declaration.type?.getText() ?? plainType(types.checker.getTypeOfSymbol(symbol), context);
  const changes = type === undefined ? undefined : withParameter(symbol.name, type, symbol.name, context);
  return changes && change(`Make ‘${symbol.name}’ a parameter`, changes);
}

/** One assignment right after the declaration is the declaration's value. */
function asConst({ symbol, declaration }: Capture, { writes, file }: Context) {
  const [only, ...more] = writes.of(symbol, file);
  const list = declaration.parent;
  if (
    !only?.value ||
    more.length > 0 ||
    !ts.isVariableDeclaration(declaration) ||
    declaration.initializer ||
    isConst(declaration)
  )
    return undefined;
  const assignment = only.node.parent.parent;
  if (!ts.isVariableDeclarationList(list) || list.declarations.length > 1 || !ts.isExpressionStatement(assignment))
    return undefined;
  const statement = list.parent;
  if (assignment.parent !== statement.parent || !ts.isSourceFile(statement.parent) || isFunction(only.value)) return undefined;
  const between = statement.parent.statements.indexOf(assignment) - statement.parent.statements.indexOf(statement);
  if (between !== 1) return undefined;
  return fix('Make it a const', replace(list, `const ${declaration.getText()} = ${only.value.getText()}`), remove(assignment));
}
