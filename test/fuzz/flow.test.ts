/** Random programs with branches and loops: eager, scripted and reference give exactly the same, and write the same into arguments. */
import { expect, test } from 'vitest';
import { jit, noGrad, tensor, type Tensor } from 'jitlens';
import { JitLensError } from '../../runtime/errors.ts';
import { numel } from '../../runtime/tensor/shape.ts';
import { whollyOnReference } from '../runtime/support/devices.ts';
import {
  flowFunction,
  flowText,
  randomFlow,
  smaller,
  type FlowFunction,
  type FlowProgram,
} from '../runtime/support/flow-programs.ts';
import { Random } from '../runtime/support/random.ts';
import { plain, SWITCHES } from '../runtime/support/scripts.ts';

const PROGRAMS = Number(process.env['JITLENS_FUZZ'] ?? 50);
const FIRST = Number(process.env['JITLENS_FUZZ_SEED'] ?? 1);

/** Without the last of them, what is returned may share memory. */
const PASSES = SWITCHES.filter((name) => name !== 'separate');

type Arguments = [x: Tensor, y: Tensor, n: Tensor];

/** Other values and other numbers of turns at each call. */
function make({ shape }: FlowProgram, call: number): Arguments {
  const random = new Random(1000 + call);
  const values = () => tensor(Float32Array.from(random.values(numel(shape), 'int32', [-4, 4]))).view(shape);
  return [values(), values(), tensor([0, 3, 9][call] ?? 1, { dtype: 'int32' }).view([])];
}

async function outcomes(fn: FlowFunction, program: FlowProgram): Promise<string[]> {
  const results: string[] = [];
  for (const call of [0, 1, 2, 1]) {
    const inputs = noGrad(() => make(program, call));
    results.push(JSON.stringify(await plain([await fn(...inputs), inputs])));
  }
  return results;
}

/** What differs, in words; undefined where nothing does. Throws where the compiler refuses the program, which is no failure. */
async function off(program: FlowProgram, seed: number): Promise<string | undefined> {
  let fn: FlowFunction;
  let want: string[] = [];
  try {
    fn = flowFunction(program);
    await whollyOnReference(async () => {
      want = await outcomes(fn, program);
    });
  } catch {
    // What was cut out was needed.
    return undefined;
  }
  const prefix = PASSES.slice(seed % PASSES.length);
  const ways: Record<string, () => FlowFunction> = {
    eager: () => fn,
    scripted: () => jit.script(fn),
    [`scripted without ${prefix.join(', ')}`]: () => jit.script(fn, { without: prefix }),
  };
  for (const [name, way] of Object.entries(ways)) {
    try {
      const got = await outcomes(way(), program);
      const at = got.findIndex((text, i) => text !== want[i]);
      if (at >= 0) return `${name}, call ${at}: ${got[at]} instead of ${want[at]}`;
    } catch (error) {
      if (error instanceof JitLensError && /^JL\d/.test(error.code)) throw error;
      return `${name}: ${String(error)}`;
    }
  }
  return undefined;
}

/** The smallest program reached by cutting one thing at a time that still fails. */
async function shrunk(program: FlowProgram, fails: (program: FlowProgram) => Promise<boolean>): Promise<FlowProgram> {
  for (const candidate of smaller(program)) if (await fails(candidate)) return shrunk(candidate, fails);
  return program;
}

test(`${PROGRAMS} random programs from seed ${FIRST}`, { timeout: 3_600_000 }, async () => {
  const failures: string[] = [];
  const refused: unknown[] = [];
  for (let seed = FIRST; seed < FIRST + PROGRAMS && failures.length < 3; seed++) {
    const program = randomFlow(seed);
    if (seed > FIRST && (seed - FIRST) % 100 === 0)
      console.log(`${seed - FIRST} of ${PROGRAMS} programs, up to seed ${seed - 1}`);
    try {
      if ((await off(program, seed)) === undefined) continue;
    } catch (error) {
      refused.push(error);
      continue;
    }
    const least = await shrunk(program, (p) =>
      off(p, seed).then(
        (found) => found !== undefined,
        () => false,
      ),
    );
    failures.push(`seed ${seed}, shape [${least.shape.join()}]\n${flowText(least)}\n${await off(least, seed)}`);
  }
  expect(failures.join('\n\n')).toBe('');
  expect(refused.length, `too many are refused: ${[...new Set(refused.map(String))].join('\n')}`).toBeLessThanOrEqual(
    PROGRAMS / 4,
  );
});

test('a failure shrinks to the lines that matter', async () => {
  const needed = 'a = a.flip([0]).clamp(-8, 8);';
  const program: FlowProgram = {
    shape: [2],
    body: [
      { kind: 'line', text: 'b = b.add(1);' },
      {
        kind: 'block',
        head: 'for (const i of range(3))',
        body: [
          { kind: 'line', text: 'k += i;' },
          { kind: 'line', text: needed },
        ],
      },
      { kind: 'line', text: 'k += 1;' },
    ],
  };
  const least = await shrunk(program, (p) => Promise.resolve(flowText(p).includes(needed)));
  expect(least.body).toEqual([{ kind: 'line', text: needed }]);
});
