/** @file JL303: a tensor from outside. In: names. Out: a report, unless it is a parameter, a buffer or said to be constant. */
import type { Context } from '../../context.ts';
import { defineRule } from '../../define.ts';
import { after, before, change, fix, freeName, imported, replace, statementBefore } from '../../edits.ts';
import { captured, type Capture } from '../../facts/captures.ts';
import { bare, walk } from '../../facts/functions.ts';
import { isConst } from '../../facts/writes.ts';
import { withParameter } from '../../signature.ts';
import { ts, type TS } from '../../typescript.ts';

export const capturedTensor = defineRule({
  code: 'JL303',
  title: 'A tensor from outside',
  severity: 'error',
  doc: `
    A tensor that a function takes from outside would be copied into the graph and cut off from training and from saving. Make
    it a \`Parameter\` or \`Buffer\`, say that it is a constant with \`jit.constant\`, or pass it in.`,
  pytorch: '“python value of type Tensor cannot be used as a value” for globals; attributes of the module are fine.',
  on: 'Identifier',
  check(node, context) {
    const { types } = context;
    const capture = captured(node, context);
    if (!capture) return;
    const type = context.type(node);
    if (
      !types.isTensorOrNone(type) ||
      types.parts(type).every((t) => types.isClass(t, 'Parameter') || types.isClass(t, 'Buffer'))
    )
      return;
    const { declaration, symbol } = capture;
    const value = declaration.initializer && bare(declaration.initializer);
    if (value && ts.isCallExpression(value) && types.ownName(value.expression) === 'jit.constant') return;
    if (!context.once(symbol)) return;
    context.report(node, `‘${node.text}’ is not registered on the module`, {
      related: [{ message: 'declared here', node: declaration.name }],
      fixes: [...registered(capture, context), passed(capture, context), held(capture, context)],
    });
  },
  bad: [
    `const w = randn([3, 3]);
    export const f = jit.script((x: Tensor) => x.matmul(w));
                                                      //^ JL303: ‘w’ is not registered on the module`,
    `export function make(w: Tensor) {
      return jit.script((x: Tensor) => x.matmul(w));
                                              //^ JL303
    }`,
  ],
  good: [
    `const w = new nn.Parameter(randn([3, 3]));
    const mask = jit.constant(ones([3]));
    export const f = jit.script((x: Tensor) => x.matmul(w).mul(mask));`,
    `export const f = jit.script((x: Tensor, w: Tensor) => x.matmul(w));`,
  ],
});

function registered({ declaration }: Capture, { file }: Context) {
  const { initializer } = declaration;
  if (!initializer || !ts.isVariableDeclaration(declaration) || !isConst(declaration) || declaration.getSourceFile() !== file)
    return [];
  if (declaration.type) return [];
  const [jit, nn] = [imported(file, 'jit'), imported(file, 'nn')];
  return [
    fix('Make it a Parameter', before(initializer, `new ${nn.text}.Parameter(`), after(initializer, ')'), nn.changes),
    fix('Say that it is a constant', before(initializer, `${jit.text}.constant(`), after(initializer, ')'), jit.changes),
  ];
}

function passed({ declaration, symbol }: Capture, context: Context) {
  if (!ts.isVariableDeclaration(declaration) || declaration.getSourceFile() !== context.file) return undefined;
  if (!ts.isSourceFile(declaration.parent.parent.parent)) return undefined;
  if (!context.types.isTensor(context.types.checker.getTypeOfSymbol(symbol))) return undefined;
  const type = imported(context.file, 'Tensor', true);
  const changes = withParameter(symbol.name, type.text, symbol.name, context);
  return changes && change(`Make ‘${symbol.name}’ a parameter`, changes, type.changes);
}

/** For a parameter of the function around, which has no value to wrap. */
function held({ declaration, symbol }: Capture, { unit, types, file }: Context) {
  if (!unit || !ts.isParameter(declaration) || !types.isTensor(types.checker.getTypeOfSymbol(symbol))) return undefined;
  const jit = imported(file, 'jit');
  const name = freeName(unit, `${symbol.name}Held`);
  const first = statementBefore(unit.parent, `const ${name} = ${jit.text}.constant(${symbol.name});`);
  const uses: TS.Identifier[] = [];
  walk(unit, (node) => {
    if (ts.isIdentifier(node) && node.text === symbol.name && types.symbol(node) === symbol) uses.push(node);
    return true;
  });
  if (!first || uses.some((use) => ts.isShorthandPropertyAssignment(use.parent))) return undefined;
  return fix(
    'Say that it is a constant',
    first,
    uses.map((use) => replace(use, name)),
    jit.changes,
  );
}
