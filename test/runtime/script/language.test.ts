/** @file TensorScript's constructs, each as JavaScript runs it and as it is compiled. */
import { jit, nn, noGrad, ones, randn, range, stack, tensor, zeros, type Tensor } from 'jitlens';
import { describe, expect, test } from 'vitest';
import { everyWay, plain, steps } from '../support/scripts.ts';

const t = (...values: number[]) => tensor(values);
const K = 3;
const SIZES = [1, 2, 3] as const;
const nothing = (): number | undefined => undefined;

interface Options {
  readonly scale?: number;
  readonly shift?: Tensor;
}

function affine(x: Tensor, { scale = 2, shift }: Options = {}): Tensor {
  const y = x.mul(scale);
  return shift === undefined ? y : y.add(shift);
}

function twice<T>(x: T, f: (x: T) => T): T {
  return f(f(x));
}

const cases: Record<string, { fn: (x: Tensor) => unknown }> = {
  'constants from outside': { fn: (x) => x.mul(K) },
  'defaults and records': {
    fn: (x) =>
      affine(x)
        .add(affine(x, { scale: 3 }))
        .add(affine(x, { shift: x })),
  },
  'generic functions and closures': { fn: (x) => twice(x, (y) => y.mul(2).add(x)) },
  destructuring: {
    fn: (x) => {
      const [a, b, ...rest] = x.unbind(0) as [Tensor, Tensor, ...Tensor[]];
      const {
        p,
        q: [first],
      } = { p: a, q: [b] };
      return [p, first, rest.length];
    },
  },
  'swapping variables': {
    fn: (x) => {
      let [a, b] = [x, x.mul(2)];
      [a, b] = [b, a];
      return [a, b.sub(a)];
    },
  },
  'lists that are pushed to and stacked': {
    fn: (x) => {
      const outs: Tensor[] = [];
      for (const n of SIZES) outs.push(x.mul(n));
      return stack(outs.map((y, i) => y.add(i)));
    },
  },
  'array methods': {
    fn: (x) => {
      const scales = [3, 1, 2].sort((a, b) => a - b).filter((n) => n > 1);
      return [scales.reduce((y, n) => y.mul(n), x), scales.includes(3), scales.join('-')];
    },
  },
  spread: { fn: (x) => [...[x, x.neg()], ...SIZES.map((n) => n * 2)] },
  'optional chaining and ??': {
    fn: (x) => {
      const options: Options | undefined = x.rank > 5 ? { scale: 4 } : undefined;
      return x.mul(options?.scale ?? 5).add(nothing() ?? 1);
    },
  },
  'a switch': {
    fn: (x) => {
      switch (x.rank) {
        case 0:
          return x;
        case 1:
        case 2:
          x = x.add(10);
          break;
        default:
          x = x.add(100);
      }
      return x.mul(2);
    },
  },
  'do…while': {
    fn: (x) => {
      let n = 0;
      do {
        x = x.add(n);
        n += 1;
      } while (n < 4);
      return x;
    },
  },
  'for of several forms': {
    fn: (x) => {
      for (let i = 0, j = 10; i < j; i += 3, j--) x = x.add(i * j);
      for (let i = 3; i >= 0; i--) x = x.mul(i + 1);
      let k = 0;
      for (; ; k++) if (k === 4) break;
      return x.add(k);
    },
  },
  'arithmetic of numbers': {
    fn: (x) => x.mul(((7 % 4) ** 2 / 3) | 0).add(-(5 >> 1) + Math.floor(2.7) + Math.max(1, 4, 2) + (~3 & 7)),
  },
  'ternaries and &&, ||': {
    fn: (x) => {
      const big = x.shape[0] !== undefined && x.shape[0] > 2;
      return [big ? x.mul(2) : x, (!big && x.rank > 0) || x.rank === 1];
    },
  },
  'functions inside, used before they stand': {
    fn: (x) => {
      return helper(x, 2);
      function helper(y: Tensor, n: number): Tensor {
        return y.mul(n);
      }
    },
  },
  'text in results': { fn: (x) => `${x.rank} of ${x.shape.join('×')}` },
  'in place on what is fresh': {
    fn: (x) => {
      const y = x.clone();
      y.mul_(2).add_(1);
      y.slice(0, 0, 2).mul_(3);
      return [y, x];
    },
  },
  'library modules and functions': {
    fn: (x) =>
      noGrad(() =>
        x
          .softmax(0)
          .add(zeros([4]))
          .gelu(),
      ),
  },
};

describe('the same eagerly, scripted, and without each pass', () => {
  test.each(Object.entries(cases))('%s', async (_, { fn }) => {
    const x = () => t(1, -2, 3, 0.5);
    await everyWay(fn, () => [x()], await plain(fn(x())));
  });
});

describe('decided at run time', () => {
  const sign = async (x: Tensor) => ((await x.sum().item()) > 0 ? x.mul(2) : x.neg());
  const classify = async (x: Tensor) => {
    const n = Math.round(await x.max().item());
    switch (n) {
      case 1:
        return x.mul(10);
      case 2:
        x = x.add(1);
        break;
      default:
        x = x.sub(5);
    }
    return x;
  };
  const record = async (x: Tensor) => {
    let state = { h: x, count: 0 };
    while ((await state.h.max().item()) < 20) state = { h: state.h.mul(2), count: state.count + 1 };
    return state;
  };
  const pushed = async (x: Tensor) => {
    const outs = [x, x];
    if ((await x.sum().item()) > 0) outs[1] = x.mul(3);
    return stack(outs);
  };
  const raised = async (x: Tensor) => {
    const n = await x.max().item();
    if (n > 100) throw new RangeError(`${n} is too much`);
    return x.div(n);
  };
  const indexed = async (x: Tensor, at: Tensor) => x.select(0, Math.trunc(await at.item()));
  const both = async (x: Tensor) => {
    const [low, high] = await Promise.all([x.min().item(), x.max().item()]);
    return x.sub(low).div(high - low);
  };

  test('choices, switches, records, lists', async () => {
    for (const values of [
      [1, 2],
      [-1, 0.5],
      [0.6, 0.4],
    ] as const) {
      for (const fn of [sign, classify, record, pushed, both]) {
        const x = () => tensor([...values, 0.75]);
        await everyWay(fn, () => [x()], await plain(fn(x())));
      }
    }
    for (const at of [0, 2, -1])
      await everyWay(indexed, () => [t(5, 6, 7), tensor(at, { dtype: 'int32' })], await plain(indexed(t(5, 6, 7), tensor(at))));
  });

  test('an error is thrown as the code throws it, with the line', async () => {
    const scripted = jit.script(raised);
    expect(await plain(scripted(t(2, 4)))).toEqual([0.5, 1]);
    const error: unknown = await scripted(t(200)).catch((e: unknown) => e);
    expect(error).toBeInstanceOf(RangeError);
    expect(error).toMatchObject({ message: '200 is too much' });
    expect((error as Error).stack).toContain('language.test.ts');
  });

  test('two cheap arms are a choice on the device, without a read', async () => {
    const scripted = jit.script(sign);
    await scripted(t(1, 2));
    expect(steps(scripted)).toEqual({ segment: 1 });
    const waits = jit.script(sign, { without: ['select'] });
    await waits(t(1, 2));
    expect(waits.info.compiled[0]?.explain()).toContain('waits for the device at language.test.ts:');
  });
});

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

describe('effects', () => {
  test('console.log prints in order, with what is known at run time', async () => {
    const { log } = console;
    const printed: unknown[][] = [];
    const fn = async (x: Tensor) => {
      console.log('start', x.rank);
      const n = await x.sum().item();
      if (n > 2) console.log('large', n);
      return x;
    };
    const scripted = jit.script(fn);
    console.log = (...values: unknown[]) => void printed.push(values);
    try {
      await scripted(t(1, 2));
      await scripted(t(1, 0));
    } finally {
      console.log = log;
    }
    expect(printed).toEqual([
      ['start', 1],
      ['large', 3],
      ['start', 1],
    ]);
  });
});

describe('loops whose length is known only at run time', () => {
  const unrolled = async (x: Tensor, n: Tensor) => {
    let h = x;
    const count = await n.item();
    for (let i = 0; i < count; i++) h = h.mul(2).add(i);
    return h;
  };
  test.each([-3, 0, 1, 7, 8, 9, 16, 17])('%i turns', async (count) => {
    await everyWay(unrolled, () => [t(1, 2), tensor(count, { dtype: 'int32' })], await plain(unrolled(t(1, 2), tensor(count))));
  });

  test('what a loop carries keeps its shape', async () => {
    const grows = async (x: Tensor, n: Tensor) => {
      for (const _ of range(await n.item())) x = stack([x, x]);
      return x;
    };
    await expect(async () => jit.script(grows)(t(1), tensor(2))).rejects.toMatchObject({ code: 'JL106' });
    const collects = async (x: Tensor, n: Tensor) => {
      const outs: Tensor[] = [];
      for (const _ of range(await n.item())) outs.push(x);
      return stack(outs);
    };
    await expect(async () => jit.script(collects)(t(1), tensor(2))).rejects.toMatchObject({ code: 'JL106' });
  });
});

describe('lists that are walked', () => {
  const OUTSIDE = [1, 2, 3];
  const TYPED: readonly number[] = [1, 2, 3];
  const code = (fn: (x: Tensor) => Tensor) => {
    try {
      jit.script(fn)(ones([2]));
      return undefined;
    } catch (error) {
      return (error as { code?: string }).code;
    }
  };
  const sums: [string, string | undefined, (x: Tensor) => Tensor][] = [
    [
      'a literal',
      'JL203',
      (x) => {
        for (const n of [1, 2]) x = x.add(n);
        return x;
      },
    ],
    [
      'a variable',
      'JL203',
      (x) => {
        const ns: number[] = [1, 2];
        for (const n of ns) x = x.add(n);
        return x;
      },
    ],
    [
      'an inferred variable',
      'JL203',
      (x) => {
        const ns = [1, 2];
        for (const n of ns) x = x.add(n);
        return x;
      },
    ],
    [
      'one from outside',
      'JL203',
      (x) => {
        for (const n of OUTSIDE) x = x.add(n);
        return x;
      },
    ],
    [
      'a result of map',
      'JL203',
      (x) => {
        for (const y of x.unbind().map((z) => z.mul(2))) x = x.add(y);
        return x;
      },
    ],
    [
      'a readonly one from outside',
      undefined,
      (x) => {
        for (const n of TYPED) x = x.add(n);
        return x;
      },
    ],
    [
      'a tuple',
      undefined,
      (x) => {
        const ns = [1, 2] as const;
        for (const n of ns) x = x.add(n);
        return x;
      },
    ],
    [
      'a readonly variable',
      undefined,
      (x) => {
        const ns: readonly number[] = [1, 2];
        for (const n of ns) x = x.add(n);
        return x;
      },
    ],
    [
      'what an op gives',
      undefined,
      (x) => {
        for (const y of x.unbind()) x = x.add(y);
        return x;
      },
    ],
    [
      'one that is changed behind its type',
      'JL204',
      (x) => {
        const ns: number[] = [1, 2];
        for (const n of ns as readonly number[]) {
          if (n < 2) ns.push(3);
          x = x.add(n);
        }
        return x;
      },
    ],
  ];
  test.each(sums)('%s: %s', (_, wanted, fn) => {
    expect(code(fn)).toBe(wanted);
  });
});
