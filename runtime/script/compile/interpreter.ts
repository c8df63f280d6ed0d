/**
 * @file Looks at code: walks a function's syntax with tensors that have no elements (or, to follow a run for its gradient, with real
 * ones), and keeps track of where it is. In: a function, its arguments. Out: its result; on the way, what the builder records.
 */
import { JitLensError } from '../../errors.ts';
import type { Frame } from '../../frames.ts';
import { ts, type TS } from '../typescript.ts';
import { property } from './access.ts';
import type { Builder } from './builder.ts';
import { call } from './calls.ts';
import {
  frameAt,
  located,
  refuse,
  type Activation,
  type Assumed,
  type Completion,
  type Context,
  type Keeps,
  type World,
} from './context.ts';
import { evaluate } from './expressions.ts';
import { RETURN, NORMAL } from './flow.ts';
import { refuseHoisted } from './hoisted.ts';
import { Memory, Scope } from './memory.ts';
import { bindPattern } from './patterns.ts';
import { execute, statement } from './statements.ts';
import { Closure, Conflict, Pending, Raised } from './values.ts';

interface Level {
  readonly activation: Activation;
  readonly closure: Closure;
  node: TS.Node;
}

/** Modules of JavaScript and JitLens, whose fields nobody changes. */
const FIXED = new Set<object>([Math, Number, String, Boolean, Array, Object, Promise, console, Error]);

export class Interpreter implements Context {
  readonly memory = new Memory();
  readonly assumed = new Map<object, Map<PropertyKey, Assumed>>();
  private readonly levels: Level[] = [];

  constructor(
    readonly world: World,
    readonly keeps: Keeps,
    /** The value of a module's state. */
    private readonly fieldState: (of: object, key: PropertyKey, now: unknown) => unknown,
    readonly builder?: Builder,
  ) {}

  private get level(): Level {
    const level = this.levels.at(-1);
    if (level) return level;
    throw new JitLensError('JL-BUG', 'no function is being looked at');
  }

  get activation(): Activation {
    return this.level.activation;
  }

  frames(): readonly Frame[] {
    return this.levels.map(({ activation, node }) => frameAt(activation, node)).reverse();
  }

  evaluate(node: TS.Expression, scope: Scope): unknown {
    return evaluate(this, node, scope);
  }

  execute(statements: readonly TS.Statement[], scope: Scope): Completion {
    return execute(this, statements, scope);
  }

  statement(node: TS.Statement, scope: Scope): Completion {
    this.level.node = node;
    return statement(this, node, scope);
  }

  call(fn: unknown, self: unknown, args: readonly unknown[], at: TS.Node): unknown {
    return call(this, fn, self, args, at as TS.CallExpression);
  }

  property(of: unknown, key: PropertyKey, at: TS.Node): unknown {
    return property(this, of, key, at);
  }

  bind(pattern: TS.BindingName, value: unknown, scope: Scope, constant: boolean): void {
    bindPattern(this, pattern, value, scope, constant);
  }

  assume(of: object, key: PropertyKey, value: unknown, read?: () => unknown): void {
    // What is in a frozen map can change all the same.
    const fixed = FIXED.has(of) || Reflect.get(of, Symbol.toStringTag) === 'Module' || Object.isFrozen(of);
    if (fixed && !read) return;
    const known = this.assumed.get(of) ?? new Map<PropertyKey, Assumed>();
    this.assumed.set(of, known);
    if (!known.has(key)) known.set(key, { of, key, value, read });
  }

  state(of: object, key: PropertyKey, now: unknown): unknown {
    const value = this.fieldState(of, key, now);
    return this.memory.standIn(of, key, value).value;
  }

  from<T>(at: TS.Node, body: () => T): T {
    const { level } = this;
    const before = level.node;
    level.node = at;
    try {
      return body();
    } catch (error) {
      throw this.placed(error);
    } finally {
      level.node = before;
    }
  }

  /** An error of an op, with the line that called it and the chain of callers. */
  private placed(error: unknown): unknown {
    if (!(error instanceof JitLensError) || error.place) return error;
    const [place, ...callers] = this.frames();
    const { activation, node } = this.level;
    return located(new JitLensError(error.code, error.message, error.hint, place), callers, activation, node);
  }

  invoke(closure: Closure, self: unknown, args: readonly unknown[], at: TS.Node): unknown {
    if (this.levels.length > 0) this.level.node = at;
    const { node, source: code, home } = closure;
    const name = nameOf(closure);
    const again = this.levels.findIndex((l) => l.closure.node === node);
    if (again >= 0) {
      const names = [...this.levels.slice(again).map((l) => l.activation.name), name];
      throw refuse(this, at, 'JL306', `${names.join(' → ')} calls itself, so its graph would be infinite`, 'Write it as a loop.');
    }
    if (node.asteriskToken) throw refuse(this, at, 'JL218', `‘${name}’ suspends in the middle of a graph`, 'Return an array.');
    this.levels.push({ activation: { code, self, home, name }, closure, node });
    try {
      const result = this.run(closure, args);
      const isAsync = ts.getCombinedModifierFlags(node) & ts.ModifierFlags.Async;
      return isAsync ? new Pending(result instanceof Pending ? result.result : result) : result;
    } finally {
      this.levels.pop();
    }
  }

  private run({ node, scope: outer }: Closure, args: readonly unknown[]): unknown {
    refuseHoisted(this, node);
    const scope = new Scope(outer);
    // `this` has a type among the parameters, and no argument.
    const parameters = node.parameters.filter(({ name }) => !(ts.isIdentifier(name) && name.text === 'this'));
    parameters.forEach((parameter, i) => {
      const { name, initializer, dotDotDotToken } = parameter;
      const given = dotDotDotToken ? this.memory.own(args.slice(i)) : args[i];
      const value = given === undefined && initializer ? this.evaluate(initializer, scope) : given;
      if (ts.isIdentifier(name)) this.memory.declare(scope, name.text, value, false, parameter);
      else this.bind(name, value, scope, false);
    });
    if (!node.body) return undefined;
    if (!ts.isBlock(node.body)) return this.evaluate(node.body, scope);
    return this.resultOf(this.execute(node.body.statements, scope), node);
  }

  private resultOf(end: Completion, node: TS.FunctionLikeDeclaration): unknown {
    if (end.kind === 'throw') throw new Raised();
    if (!('value' in end)) return undefined;
    if (end.kind === 'mixed' && end.codes.has(NORMAL) && end.codes.has(RETURN) && end.value !== undefined) {
      throw refuse(this, node.name ?? node, 'JL214', 'not every path of this function returns', 'Return a value on every path.');
    }
    const { value } = end;
    if (value instanceof Conflict) throw refuse(this, node.name ?? node, value.code, value.message('the result'), value.hint);
    return value;
  }
}

function nameOf({ node, home }: Closure): string {
  const own = node.name && 'text' in node.name ? node.name.text : undefined;
  const { parent } = node;
  const given = own ?? (ts.isVariableDeclaration(parent) && ts.isIdentifier(parent.name) ? parent.name.text : '(anonymous)');
  const owner = typeof home === 'function' ? home.name : home?.constructor.name;
  return owner !== undefined && ts.isMethodDeclaration(node) ? `${owner}.${given}` : given;
}
