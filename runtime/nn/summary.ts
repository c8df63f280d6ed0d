/** @file A module as a table: what is inside, what shape each part gives for some inputs, how many parameters it has. */
import { tensorsIn } from '../autograd/nested.ts';
import { noGrad } from '../ops/tape.ts';
import { formatShape } from '../tensor/shape.ts';
import type { Module } from './module.ts';

interface Row {
  readonly layer: string;
  readonly shape: string;
  readonly parameters: string;
}

const grouped = (count: number): string => String(count).replace(/\B(?=(\d{3})+$)/g, ',');

/** Runs `forward` once, in use, without recording gradients. A part that is not called has no shape. */
export function summaryOf(module: Module, inputs: readonly unknown[]): string {
  const entries = module.namedModules();
  const shapes = new Map<Module, string>();
  const modes = entries.map(([, m]) => m.training);
  const handles = entries.map(([, m]) =>
    m.registerForwardHook((_module, _inputs, output) => {
      const found = tensorsIn(output).map((x) => formatShape(x.shape));
      shapes.set(m, found.length > 0 ? found.join(' ') : '–');
    }),
  );
  try {
    module.eval();
    noGrad(() => module.forward(...(inputs as never[])));
  } finally {
    for (const handle of handles) handle.remove();
    for (const [i, [, m]] of entries.entries()) m.training = modes[i] ?? true;
  }
  const rows = entries.map(([name, m]): Row => {
    const depth = name === '' ? 0 : name.split('.').length;
    const own = m.parameters().reduce((sum, p) => sum + p.numel, 0);
    const label = name === '' ? m.constructor.name : `${name.split('.').at(-1) ?? ''}: ${m.constructor.name}`;
    return { layer: '  '.repeat(depth) + label, shape: shapes.get(m) ?? '–', parameters: grouped(own) };
  });
  const trained = module.parameters().filter((p) => p.requiresGrad);
  const total = trained.reduce((sum, p) => sum + p.numel, 0);
  return [
    ...table([{ layer: 'Layer', shape: 'Output shape', parameters: 'Parameters' }, ...rows]),
    `Trained: ${grouped(total)}`,
  ].join('\n');
}

function table(rows: readonly Row[]): string[] {
  const width = (column: keyof Row) => Math.max(...rows.map((row) => row[column].length));
  const [layer, shape, parameters] = [width('layer'), width('shape'), width('parameters')];
  return rows.map((row) => `${row.layer.padEnd(layer)}  ${row.shape.padEnd(shape)}  ${row.parameters.padStart(parameters)}`);
}
