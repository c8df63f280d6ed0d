import { describe, expect, it } from 'vitest';
import { exampleAt, findExamples } from '../../extension/editor/examples.ts';
import { maskNonCode } from '../../extension/editor/mask.ts';

const sample = `import { jit, nn, rand } from 'jitlens';

export class Conv2d extends nn.Module {
  forward(x) { return x; }
}

export const conv2d = jit.example(() => new Conv2d(3, 16, 3), () => [rand([1, 3, 512, 512])]);
`;

describe('findExamples', () => {
  it('finds an example and the class that it makes', () => {
    const [example, ...rest] = findExamples(sample);
    expect(rest).toEqual([]);
    expect(example?.name).toBe('conv2d');
    expect(sample.slice(example?.offset).startsWith('export const conv2d')).toBe(true);
    expect(sample.slice(0, example?.end).endsWith('512])])')).toBe(true);
    expect(example?.module?.name).toBe('Conv2d');
    expect(sample.slice(example?.module?.offset).startsWith('export class Conv2d')).toBe(true);
  });

  it('takes the class of the first argument only', () => {
    const [example] = findExamples('class A {}\nclass B {}\nexport const a = jit.example(() => make(), () => [new B()]);');
    expect(example?.module).toBeUndefined();
  });

  it('reads types, type arguments, namespaces and line breaks', () => {
    const text = [
      'export const a: Example<[Tensor]> = jit.example(() => new A(), []);',
      'export const b = jl.jit\n  .example<A>(() => new A(), []);',
      'export const $c = jit . example (() => new A(), []);',
    ].join('\n');
    expect(findExamples(text).map((example) => example.name)).toEqual(['a', 'b', '$c']);
  });

  it('leaves out comments, strings, templates and what is not exported', () => {
    const text = [
      '// export const a = jit.example(() => new A())',
      '/* export const b = jit.example(() => new A()) */',
      'const text = "export const c = jit.example(() => new A())";',
      'const more = `\nexport const d = jit.example(() => new A())\n`;',
      'const e = jit.example(() => new A());',
      'export const f = jit.examples(1);',
    ].join('\n');
    expect(findExamples(text)).toEqual([]);
  });

  it('is not thrown off by quotes in regular expressions or by unfinished code', () => {
    const text = "const quote = /['\"`]/;\nconst half = 4 / 2; // it's\nexport const a = jit.example(() => new A(";
    expect(findExamples(text).map((example) => example.name)).toEqual(['a']);
  });

  it('says which example a place belongs to', () => {
    const examples = findExamples(sample);
    const at = (needle: string) => exampleAt(examples, sample.indexOf(needle))?.name;
    expect(at('forward')).toBe('conv2d');
    expect(at('rand([1')).toBe('conv2d');
    expect(at('import')).toBeUndefined();
  });
});

describe('maskNonCode', () => {
  it('keeps length and line breaks', () => {
    const text = 'a /* x\ny */ + "s\\"t" / b // c\n(`t\n${u}`, /r[/]e/.test(x))';
    const masked = maskNonCode(text);
    expect(masked).toHaveLength(text.length);
    expect(masked.split('\n')).toHaveLength(text.split('\n').length);
    expect(masked.replace(/\s+/g, ' ').trim()).toBe('a + " " / b (` `, .test(x))');
  });
});
