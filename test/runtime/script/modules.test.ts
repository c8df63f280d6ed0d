/** @file Scripted modules: the two lines, state, modes, fields that change, and methods with marks. */
import { jit, nn, ones, randn, range, tensor, zeros, type Tensor } from 'jitlens';
import { describe, expect, test } from 'vitest';
import { eagerly } from '../../../runtime/script/script.ts';
import { plain } from '../support/scripts.ts';

const t = (...values: number[]) => tensor(values);

class Base extends jit.ScriptModule {
  protected readonly scale: number = 2;

  forward(x: Tensor): Tensor {
    return x.mul(this.scale);
  }
}

class Gate extends nn.Module {
  readonly weight = new nn.Parameter(ones([4]).mul(0.5));

  get doubled(): Tensor {
    return this.weight.mul(2);
  }

  forward(x: Tensor): Tensor {
    return x.mul(this.doubled);
  }
}

/** Assigns fields before errors that depend on a value, in a branch, in a loop, and on every path. */
class Careful extends jit.ScriptModule {
  @jit.state seen = 0;
  @jit.state last: Tensor = zeros([2]);
  readonly notes: number[] = [];

  @jit.scriptMethod
  async forward(x: Tensor): Promise<Tensor> {
    this.seen += 1;
    this.last = x.mul(2);
    if ((await x.sum().item()) < 0) {
      this.seen += 10;
      throw new Error('negative');
    }
    this.last = x.mul(3);
    return x;
  }

  @jit.scriptMethod
  async turns(x: Tensor, n: number): Promise<Tensor> {
    let y = x;
    for (const i of range(n)) {
      this.seen += 1;
      y = y.sub(i);
      if ((await y.sum().item()) < 0) throw new Error('below');
    }
    return y;
  }

  @jit.scriptMethod
  fails(x: Tensor): Tensor {
    this.last = x.add(1);
    throw new Error('always');
  }

  @jit.ignore
  note(): void {
    this.notes.push(this.seen);
  }

  @jit.scriptMethod
  noted(x: Tensor): Tensor {
    this.seen += 5;
    this.note();
    this.seen += 5;
    return x;
  }
}

class Model extends Base {
  readonly gates = new nn.ModuleList([new Gate(), new Gate()]);
  readonly steps: readonly number[] = [1, 2];
  readonly bias: nn.Parameter | undefined = undefined;
  @jit.state calls = 0;
  @jit.state memory: Tensor = zeros([4]);

  @jit.scriptMethod
  override forward(x: Tensor): Tensor {
    let y = super.forward(x);
    for (const gate of this.gates) y = gate.forward(y);
    for (const n of this.steps) y = y.add(n);
    if (this.bias !== undefined) y = y.add(this.bias);
    if (this.training) y = y.add(1);
    this.calls += 1;
    this.memory = this.memory.add(y);
    return this.shifted(y);
  }

  private shifted(x: Tensor): Tensor {
    return jit.isScripting() ? x.add(100) : x;
  }

  @jit.unused
  never(): Tensor {
    throw new Error('not here');
  }

  readonly notes: unknown[] = [];

  @jit.ignore
  note(what: string, x: Tensor): number {
    return this.notes.push([what, x.shape]);
  }

  @jit.scriptMethod
  noted(x: Tensor): Tensor {
    const y = x.mul(2);
    this.note('doubled', y);
    return y;
  }

  @jit.scriptMethod
  counted(x: Tensor): Tensor {
    return x.mul(this.note('used', x));
  }
}

describe('modules', () => {
  test('two lines: the base class and the decorator', async () => {
    const model = new Model();
    const y = await plain(model.forward(t(1, 2, 3, 4)));
    expect(y).toEqual([106, 108, 110, 112]);
    expect(await plain(model.forward(t(1, 2, 3, 4)))).toEqual(y);
    expect(model.calls).toBe(2);
    expect(await plain(model.memory)).toEqual([12, 16, 20, 24]);
    expect(jit.infoOf(model, 'forward')?.compiled.length).toBe(1);
  });

  test('both modes are kept, and fields that change are noticed', async () => {
    const model = new Model().eval();
    expect(await plain(model.forward(t(0, 0, 0, 0)))).toEqual([103, 103, 103, 103]);
    (model as unknown as { scale: number }).scale = 3;
    model.train();
    expect(await plain(model.forward(t(1, 1, 1, 1)))).toEqual([107, 107, 107, 107]);
    const gate = model.gates.at(0);
    (gate as unknown as { weight: nn.Parameter }).weight = new nn.Parameter(ones([4]));
    expect(await plain(model.forward(t(1, 1, 1, 1)))).toEqual([110, 110, 110, 110]);
    expect(jit.infoOf(model, 'forward')?.recompiles.map((r) => r.guard)).toEqual([
      'training mode',
      '‘weight’, which the code reads',
    ]);
  });

  test('what is marked @jit.ignore runs at every call, and what it gives cannot be used', async () => {
    const model = new Model();
    model.noted(t(1, 2));
    expect(await plain(model.noted(t(1, 2)))).toEqual([2, 4]);
    expect(model.notes).toEqual([
      ['doubled', [2]],
      ['doubled', [2]],
    ]);
    expect(() => model.counted(t(1))).toThrow(expect.objectContaining({ code: 'JL507' }));
  });

  test('what was assigned before an error stays, as it does eagerly', async () => {
    const run = async () => {
      const model = new Careful();
      const failed = async (body: () => unknown) => {
        const error: unknown = await Promise.resolve()
          .then(body)
          .catch((e: unknown) => e);
        return [(error as Error).message, model.seen, await plain(model.last)];
      };
      return [
        await failed(() => model.forward(t(-1, -2))),
        await failed(() => model.turns(t(2, 2), 5)),
        await failed(() => model.fails(t(5, 6))),
        await plain(model.forward(t(1, 2))).then(async () => [model.seen, await plain(model.last)]),
      ];
    };
    const expected = [
      ['negative', 11, [-2, -4]],
      ['below', 14, [-2, -4]],
      ['always', 14, [6, 7]],
      [15, [3, 6]],
    ];
    expect(await eagerly(run)).toEqual(expected);
    expect(await run()).toEqual(expected);
  });

  test('host code sees what was assigned before it', () => {
    const model = new Careful();
    model.noted(t(1));
    model.noted(t(1));
    expect([model.notes, model.seen]).toEqual([[5, 15], 20]);
  });

  test('parameters of a scripted module are trained', async () => {
    const model = new Model();
    model
      .forward(t(1, 2, 3, 4))
      .sum()
      .backward();
    expect(await plain(model.gates.at(0).weight.grad)).toEqual([4, 8, 12, 16]);
  });

  test('an undeclared field, a captured tensor, a recursion', () => {
    const w = randn([3]);
    expect(() => jit.script((x: Tensor) => x.add(w))(ones([3]))).toThrow(expect.objectContaining({ code: 'JL303' }));
    const kept = jit.constant(ones([3]));
    expect(() => jit.script((x: Tensor) => x.add(kept))(ones([3]))).not.toThrow();
    const again = (x: Tensor): Tensor => again(x);
    expect(() => jit.script(again)(ones([3]))).toThrow(expect.objectContaining({ code: 'JL306' }));
  });
});
