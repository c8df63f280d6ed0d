/** Types that need no checker are those that the checker gives, for every expression of the rules' good examples and of the samples. */
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { Quick } from '../../../runtime/script/facts/quick.ts';
import { Types } from '../../../runtime/script/facts/types.ts';
import { Project } from '../../../runtime/script/project.ts';
import { rules } from '../../../runtime/script/rules/table.ts';
import { ts, type TS } from '../../../runtime/script/typescript.ts';
import { walk } from '../../../runtime/script/facts/functions.ts';
import { moduleOf } from './fixtures.ts';

const entry = fileURLToPath(new URL('../../../runtime/index.ts', import.meta.url));
const samples = fileURLToPath(new URL('../../../extension/samples/', import.meta.url));

/** Every form that is told apart, and the ones next to it. */
const FORMS = `import { jit, nn, ones, range, type Tensor } from 'jitlens';
class Plain {}
class Box<T> { constructor(readonly of: T) {} }
function twice(x: Tensor): Tensor { return x.mul(2); }
function same<T>(x: T): T { return x; }
function either(x: Tensor): Tensor;
function either(x: number): number;
function either(x: Tensor | number): Tensor | number { return x; }
export function forms(x: Tensor, xs: readonly Tensor[], pair: readonly [Tensor, number], maybe?: Tensor, k = 2) {
  const [batch, ...more] = x.shape;
  if (batch === 2) return batch;
  const [first, second = 3] = x.shape;
  const [a, b] = pair;
  const [head] = xs;
  for (const y of xs) x = x.add(y);
  for (const y of pair) if (typeof y === 'number') x = x.add(y);
  for (const i of range(x.rank)) x = x.add(i);
  for (const i of range(4)) if (i === 3) x = x.add(i);
  const linear = new nn.Linear(2, 3);
  const boxed = new Box(x);
  const truths = [x.rank > 2, x === maybe, batch !== 1, k <= 2, new Plain() == boxed];
  return [twice(x), same(x), same(k), either(x), either(k), linear.forward(x), boxed.of, a, b, head, first, second, more, truths];
}
export const circle = () => { const [p] = q; const [q] = p; for (const r of r) r; return p; };
export const module = jit.example(() => new nn.ReLU(), () => [ones([2])]);
`;

const texts = new Map<string, string>([
  ['/fixtures/forms.ts', FORMS],
  ...rules.flatMap((rule) => rule.good.map((text, i): [string, string] => [`/fixtures/${rule.code}-${i}.ts`, moduleOf(text)])),
  ...readdirSync(samples).map((name): [string, string] => [samples + name, readFileSync(samples + name, 'utf8')]),
]);

test.each([false, true])('an element may be missing: %s', (noUncheckedIndexedAccess) => {
  const config = '/fixtures/tsconfig.json';
  const options = { strict: true, noUncheckedIndexedAccess, module: 'esnext', moduleResolution: 'bundler', target: 'esnext' };
  const read = (file: string) =>
    file === config
      ? JSON.stringify({ compilerOptions: { ...options, types: [] }, files: [] })
      : (texts.get(file) ?? ts.sys.readFile(file));
  const project = new Project('/fixtures', config, read, entry);
  for (const file of texts.keys()) project.add(file);
  const { program, checker } = project.load();
  const types = new Types(checker, project);
  const quick = new Quick(types);
  const wrong: string[] = [];
  const forms = new Set<string>();
  for (const file of texts.keys()) {
    const source = program.getSourceFile(file);
    expect(source, file).toBeDefined();
    if (!source) continue;
    walk(source, (node) => {
      const type = quick.type(node);
      if (!type) return true;
      forms.add(ts.SyntaxKind[node.kind]);
      const text = (t: TS.Type) => checker.typeToString(t, undefined, ts.TypeFormatFlags.NoTruncation);
      const [is, wanted] = [text(type), text(checker.getTypeAtLocation(node))];
      if (is !== wanted) wrong.push(`${file}: ${node.getText()} in ${node.parent.getText()} is ${wanted}, not ${is}`);
      return true;
    });
  }
  expect(wrong).toEqual([]);
  // Each form of expression that is told without the checker.
  expect([...forms].sort().join(' ')).toBe(
    'BinaryExpression CallExpression Identifier NewExpression Parameter ParenthesizedExpression PropertyAccessExpression',
  );
});
