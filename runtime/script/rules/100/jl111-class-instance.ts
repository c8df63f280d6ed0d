/** @file JL111: an object of a class with state that can change. In: `new` and parameters. Out: a warning. */
import type { Context } from '../../context.ts';
import { before, fix } from '../../edits.ts';
import { defineRule } from '../../define.ts';
import { ts, type TS } from '../../typescript.ts';

export const classInstance = defineRule({
  code: 'JL111',
  title: 'An object with state of its own',
  severity: 'warning',
  doc: `
    Records in a graph are values: two with the same fields are the same. An object of a class is one thing that can change,
    so only classes whose fields are all \`readonly\` are taken, as records. Use a tuple or a plain record instead, or say \`readonly\`
    where only the constructor sets them. Modules are
    not meant: their state is part of the program.`,
  pytorch: 'TorchScript compiles classes with `@torch.jit.script`, with reference semantics.',
  on: ['NewExpression', 'Parameter'],
  check(node, context) {
    const type = context.type(node);
    const found = mutableClass(type, context);
    if (!found) return;
    const { name, mutable } = found;
    context.report(ts.isParameter(node) ? node.name : node, `‘${name}’ has mutable state`, { fixes: [fixed(mutable, context)] });
  },
  bad: [
    `class Counter { count = 0; }
    export const f = jit.script((x: Tensor, counter: Counter) => x.mul(counter.count));
                                          //^^^^^^^ JL111: ‘Counter’ has mutable state`,
    `class Pair { constructor(public a: number, public b: number) {} }
    export const f = jit.script((x: Tensor) => {
      const pair = new Pair(1, 2);
                 //^^^^^^^^^^^^^^ JL111
      return x.mul(pair.a);
    });`,
  ],
  good: [
    `class Pair { constructor(readonly a: number, readonly b: number) {} }
    export const f = jit.script((x: Tensor) => {
      const pair = new Pair(1, 2);
      return x.mul(pair.a);
    });`,
    `export const f = jit.script((x: Tensor, options: { scale: number }) => x.mul(options.scale));`,
  ],
});

interface Found {
  readonly name: string;
  readonly mutable: readonly TS.Declaration[];
}

/** Fields that only the constructor sets are `readonly` in all but the word. */
function fixed(mutable: readonly TS.Declaration[], context: Context) {
  const { types, writes, file } = context;
  const isSet = (field: TS.Declaration) => {
    const name = ts.getNameOfDeclaration(field);
    return writes.of(name && types.symbol(name), file).some(({ node }) => !isInConstructor(node));
  };
  if (mutable.some((f) => ts.isSetAccessor(f) || f.getSourceFile() !== file || isSet(f))) return undefined;
  context.lookBeyond();
  const changes = mutable.flatMap((field) => {
    const name = ts.getNameOfDeclaration(field);
    return name ? [before(name, 'readonly ')] : [];
  });
  return fix('Make its fields readonly', changes);
}

function isInConstructor(node: TS.Node): boolean {
  const around = ts.findAncestor(node, ts.isFunctionLike);
  return around !== undefined && ts.isConstructorDeclaration(around);
}

function mutableClass(type: TS.Type, { types }: Context): Found | undefined {
  for (const part of types.parts(type)) {
    const symbol = part.getSymbol();
    const declaration = symbol?.declarations?.find(ts.isClassLike);
    if (!symbol || !declaration || types.isOwn(symbol) || declaration.getSourceFile().isDeclarationFile) continue;
    if (types.isModule(part) || types.mayBeTensor(part) || isError(part, types)) continue;
    const fields = part.getProperties().flatMap((p) => p.declarations ?? []);
    const mutable = fields.filter(
      (f) =>
        ts.isSetAccessor(f) ||
        ((ts.isPropertyDeclaration(f) || ts.isParameter(f)) &&
          (ts.getCombinedModifierFlags(f) & ts.ModifierFlags.Readonly) === 0),
    );
    if (mutable.length > 0) return { name: symbol.name, mutable };
  }
  return undefined;
}

function isError(type: TS.Type, { checker }: Context['types']): boolean {
  return checker.getPropertyOfType(type, 'stack') !== undefined && checker.getPropertyOfType(type, 'message') !== undefined;
}
