/** @file JL502, JL506: what modules may do, so that there is a page to read about it. */
import { defineNote } from '../../define.ts';

export const training = defineNote({
  code: 'JL502',
  title: 'this.training',
  doc: 'Both modes of a module are compiled, and `this.training` is looked at when the graph is called.',
  pytorch: 'The same in scripts; a trace keeps one mode.',
  good: [
    `class Drop extends jit.ScriptModule {
      forward(x: Tensor): Tensor {
        return this.training ? x.dropout(0.5) : x;
      }
    }`,
    `class Drop extends jit.ScriptModule {
      forward(x: Tensor): Tensor {
        if (!this.training) return x;
        return x.mul(2);
      }
    }`,
  ],
});

export const inheritance = defineNote({
  code: 'JL506',
  title: 'super and overridden methods',
  doc: '`super.forward(x)` and methods that a subclass overrides are resolved for the class of the module that is compiled.',
  pytorch: '`super().forward(x)` is supported in the same way.',
  good: [
    `class Base extends jit.ScriptModule {
      helper(x: Tensor): Tensor { return x; }
      forward(x: Tensor): Tensor { return this.helper(x); }
    }
    class Derived extends Base {
      override helper(x: Tensor): Tensor { return x.relu(); }
      override forward(x: Tensor): Tensor { return super.forward(x).neg(); }
    }`,
    `class Base extends jit.ScriptModule {
      forward(x: Tensor): Tensor { return x; }
    }
    class Derived extends Base {
      override forward(x: Tensor): Tensor { return super.forward(x).neg(); }
    }`,
  ],
});
