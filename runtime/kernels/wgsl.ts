/**
 * @file From a scheduled loop nest to WGSL. In: a schedule and the buffers it binds. Out: the body of a kernel, or of a section
 * of one, with the graph node behind each of its lines, and the numbers that it takes as parameters. As `parameters`, sizes,
 * strides and scalars are such, so that kernels of one form share one pipeline whatever their shapes are; left `open` they are
 * told apart later.
 */
import { invariant } from '../errors.ts';
import type { Axis, Index } from '../tensor/affine.ts';
import { dtypes, isFloat, type DType } from '../tensor/dtype.ts';
import { children, type Expr } from './expr.ts';
import { everyExpr, outermostSums } from './axes.ts';
import { extentOf } from './extents.ts';
import { workgroupsOf, type Schedule } from './schedule.ts';
import { writeRows } from './rowtext.ts';
import { writeScans } from './scan-text.ts';
import { elementType, groupIn, type BoundBuffer, type SectionText } from './sections.ts';
import { IndexText } from './indices.ts';
import { matrixText } from './matrix-text.ts';
import type { Store } from './nest.ts';
import { convertedText, literalText, ZERO } from './numbers.ts';
import { quadPlace } from './quads.ts';
import { uniformPlace } from './uniforms.ts';
import { Parameters, type Hole, type Numbers } from './text.ts';
import { isBranch, neededByBoth } from './needed.ts';
import { Scope } from './scope.ts';
import { SumText } from './sums.ts';
import { tiledText } from './tile-text.ts';
import type { SharePlan } from './share.ts';
import { turnedText } from './turned-text.ts';
import { walkAloneText } from './walk-alone.ts';
import { walkText } from './walk-text.ts';
import type { Writer } from './writer.ts';

/** A body with its numbers left open, and those. */
export interface OpenSection extends SectionText {
  readonly holes: readonly Hole[];
}

/** Brackets in each other after which a value gets a name: Dawn reads only so many (about 128), and people fewer. */
const DEEPEST = 32;
/** Blocks in each other after which no arm of a condition opens another: Dawn reads 127 levels, and each is two. */
const DEEPEST_BLOCKS = 32;

/**
 * `slots` says which of the bound buffers each buffer of the nest is: tensors over one storage share a binding. `group` is text
 * for the number of the workgroup.
 */
export function emit(
  schedule: Schedule,
  slots: readonly number[],
  buffers: readonly BoundBuffer[],
  numbers: Exclude<Numbers, 'open'>,
  group: string,
): SectionText {
  return new Emitter(schedule, slots, buffers, numbers, group).emit();
}

/** The only body of its kernel, with all its numbers left open. */
export function emitOpen(schedule: Schedule, slots: readonly number[], buffers: readonly BoundBuffer[]): OpenSection {
  const emitter = new Emitter(schedule, slots, buffers, 'open', groupIn(1));
  return { ...emitter.emit(), holes: emitter.p.holes };
}

class Emitter implements Writer {
  readonly p: Parameters;
  readonly at: IndexText;
  readonly preludes = new Set<string>();
  readonly enables = new Set<string>();
  readonly builtins = new Set<string>();
  private readonly sums: SumText;
  private readonly uses = new Map<Expr, number>();
  /** Bindings that are arrays of vectors, and what stands for each vector that is loaded. */
  private readonly quads: ReadonlySet<number>;
  private readonly vectors = new Map<string, object>();
  private temporaries = 0;

  constructor(
    private readonly plan: Schedule,
    private readonly slots: readonly number[],
    private readonly buffers: readonly BoundBuffer[],
    numbers: Numbers,
    readonly group: string,
  ) {
    this.p = new Parameters(numbers);
    this.at = new IndexText(this.p);
    this.sums = new SumText(this, plan);
    this.quads = new Set(buffers.flatMap((b, slot) => (b.vector === 'quad' ? [slot] : [])));
    const count = (e: Expr) => this.uses.set(e, (this.uses.get(e) ?? 0) + 1);
    for (const expr of everyExpr(plan.nest)) children(expr).forEach(count);
    for (const store of plan.nest.stores) count(store.value);
  }

  emit(): SectionText {
    const body = new Scope();
    this.write(body);
    const { lines } = body;
    const { preludes, enables, builtins } = this;
    const [parameters, vectors] = [this.p.words(), this.p.vectors()];
    return { lines, preludes, enables, builtins, parameters, vectors, workgroups: workgroupsOf(this.plan) };
  }

  private write(body: Scope): void {
    const { nest, workgroupSize, rows, scan, tiling, matrices, share, walk, turn } = this.plan;
    if (walk) {
      if (walk.kind === 'blocks') walkText(this, walk, nest.stores, body);
      else walkAloneText(this, this.sums, walk, nest.stores, body);
      return;
    }
    if (matrices) {
      matrixText(this, matrices, nest.stores, body);
      return;
    }
    if (tiling) {
      tiledText(this, tiling, nest.stores, body);
      return;
    }
    if (turn) {
      turnedText(this, turn, body);
      return;
    }
    if (rows) {
      writeRows(this, this.sums, body, rows);
      return;
    }
    if (scan) {
      writeScans(this, body, scan, nest);
      return;
    }
    const sums = outermostSums(nest.stores.map((s) => s.value));
    if (share) {
      const stored = this.sharedPlaces(body, share);
      this.sums.write(body, sums);
      const storing = new Scope(body, true);
      // All threads meet in the sums that the values need, and one of each column stores.
      this.stores(nest.stores, body, storing);
      body.block(`if (${stored}) {`, storing);
      return;
    }
    body.line(`let t = ${this.group} * ${workgroupSize} + i32(local);`);
    body.line(`if (t >= ${this.p.derived(extentOf(nest.axes), nest.axes)}) { return; }`);
    this.decode(body, nest.axes, 't');
    this.sums.write(body, sums);
    this.stores(nest.stores, body);
  }

  /** Gives the axes, and `lane`, their values in a workgroup that shares sums; tells which threads store. */
  private sharedPlaces(body: Scope, { columns, across, before, blocks }: SharePlan): string {
    const extent = extentOf(across);
    const whole = this.p.fixed(across) && extent % columns === 0;
    body.line(`let place = ${this.group};`);
    body.line(`if (place >= ${this.p.derived(workgroupsOf(this.plan), [...before, ...across])}) { return; }`);
    body.line(columns === 1 ? 'let lane = i32(local);' : `let lane = i32(local) / ${columns};`);
    if (columns === 1) {
      this.decode(body, before, 'place');
      return 'lane == 0';
    }
    body.line(`let t = place / ${this.p.derived(blocks, across)};`);
    this.decode(body, before, 't');
    body.line(`let column = (place % ${this.p.derived(blocks, across)}) * ${columns} + i32(local) % ${columns};`);
    // Behind the last column the last one is computed again, since all threads must meet, and not stored.
    if (!whole) body.line(`let at = min(column, ${this.p.int(extent - 1, true)});`);
    this.decode(body, across, whole ? 'column' : 'at');
    return whole ? 'lane == 0' : `lane == 0 && column < ${this.p.int(extent)}`;
  }

  /** Values are computed in `scope`; those that are not shared, and the stores, in `inner`. */
  stores(stores: readonly Store[], scope: Scope, inner = scope): void {
    // Where a tensor is replaced in place, the others' values may need what it held before.
    const inPlace = new Set(stores.map((s) => s.buffer)).size > 1 && stores.some((s) => this.isRead(s.buffer));
    const values = stores.map((store) => {
      const text = this.stored(store, scope);
      if (!inPlace && !this.quads.has(this.slot(store.buffer))) return text;
      const name = this.name('v');
      scope.line(`let ${name} = ${text};`, store.value.origin);
      return name;
    });
    const vectors = new Map<string, { readonly store: Store; readonly vector: Index; readonly parts: string[] }>();
    stores.forEach((store, i) => {
      const { buffer, index, value, guard } = store;
      const [slot, text] = [this.slot(buffer), values[i] ?? ''];
      if (this.quads.has(slot)) {
        const { vector, component } = quadPlace(index);
        const key = `${slot}:${vector.key}`;
        const { parts } = vectors.get(key) ?? { parts: [] };
        parts[component] = text;
        vectors.set(key, { store, vector, parts });
        return;
      }
      const assignment = `b${slot}[${this.at.index(index)}] = ${text};`;
      inner.line(guard ? `if (${this.at.condition(guard)}) { ${assignment} }` : assignment, value.origin);
    });
    for (const { store, vector, parts } of vectors.values()) {
      const place = `b${this.slot(store.buffer)}[${this.at.index(vector)}]`;
      inner.line(`${place} = ${this.elementOf(store.buffer)}(${parts.join(', ')});`, store.value.origin);
    }
  }

  /** The text of what a store puts in its place. */
  private stored({ buffer, value }: Store, scope: Scope): string {
    const type = this.buffers[this.slot(buffer)]?.dtype ?? 'float32';
    // Storing rounds, and rounding twice is rounding once.
    const text = this.value(type === 'float16' && value.kind === 'cast' ? value.value : value, scope);
    return type === 'bool' ? `u32(${text})` : type === 'float16' ? `f16(${text})` : text;
  }

  private isRead(buffer: number): boolean {
    return this.slots.some((slot, other) => slot === this.slot(buffer) && other !== buffer);
  }

  private slot(buffer: number): number {
    return this.slots[buffer] ?? buffer;
  }

  private elementOf(buffer: number): string {
    return elementType(invariant(this.buffers[this.slot(buffer)], 'each tensor is bound'));
  }

  octet(buffer: number, vector: Index): string {
    return `b${this.slot(buffer)}[${this.at.index(vector)}]`;
  }

  /** Gives each axis its value, the last one changing fastest with `flat`. */
  decode(scope: Scope, axes: readonly Axis[], flat: string): void {
    let rest = flat;
    [...axes].reverse().forEach((a, i) => {
      const last = i === axes.length - 1;
      scope.line(last ? `let ${a.key} = ${rest};` : `let ${a.key} = ${rest} % ${this.p.derived(a.extent, [a])};`);
      if (!last) {
        const next = `${flat}${i + 1}`;
        scope.line(`let ${next} = ${rest} / ${this.p.derived(a.extent, [a])};`);
        rest = next;
      }
    });
    for (const a of axes) scope.bound.add(a.key);
  }

  /** Substitution made new expressions; one that several bodies share must be computed once. */
  recount(expr: Expr): void {
    const seen = this.uses.get(expr);
    this.uses.set(expr, (seen ?? 0) + 1);
    if (seen === undefined) for (const child of children(expr)) this.recount(child);
  }

  /** Text for the value, good inside `scope`; shared values are named in the outermost scope that can compute them. */
  value(expr: Expr, scope: Scope): string {
    const known = scope.find(expr);
    if (known !== undefined) return known;
    if (expr.kind === 'literal') return this.literal(expr.value, expr.type);
    const home = scope.home(expr.free);
    if (expr.kind === 'reduce') {
      this.sums.write(home, [expr]);
      return this.value(expr, scope);
    }
    const once = (this.uses.get(expr) ?? 0) <= 1 && expr.kind !== 'bind' && expr.kind !== 'segment' && !isBranch(expr);
    const text = home === scope && once ? this.compute(expr, scope) : undefined;
    if (text !== undefined && nesting(text) < DEEPEST) return text;
    const name = this.name('v');
    if (expr.kind === 'bind') this.bind(expr, home, name);
    else if (expr.kind === 'segment') this.segment(expr, home, name);
    else if (isBranch(expr)) this.branch(expr, home, name);
    else home.line(`let ${name} = ${text ?? this.compute(expr, home)};`, expr.origin);
    home.names.set(expr, name);
    return name;
  }

  private compute(expr: Expr, scope: Scope): string {
    switch (expr.kind) {
      case 'load': {
        const slot = this.slot(expr.buffer);
        const element = this.element(slot, expr, scope);
        return expr.type === 'bool' ? `(${element} != 0u)` : expr.type === 'float16' ? `f32(${element})` : element;
      }
      case 'position': {
        const index = this.at.index(expr.index);
        const place = convertedText(this, index.includes(' ') ? `(${index})` : index, 'int32', expr.type);
        return `(${place} * ${this.literal(expr.step, expr.type)} + ${this.literal(expr.start, expr.type)})`;
      }
      case 'cast':
        return convertedText(this, this.value(expr.value, scope), expr.value.type, expr.type);
      case 'select':
        return `select(${this.value(expr.no, scope)}, ${this.value(expr.yes, scope)}, ${this.at.condition(expr.when)})`;
      case 'call': {
        const { op, args } = expr;
        op.prelude?.forEach((f) => this.preludes.add(f));
        const type = dtypes[args.at(-1)?.type ?? expr.type].wgsl;
        const mentions = op.wgsl.match(/\b[a-z]\b/g) ?? [];
        const text = op.wgsl.replace(/_T_|\b[a-z]\b/g, (word) => {
          const arg = args[op.params.indexOf(word)];
          // A value that the text mentions twice is named, or chains of such ops would double at every link.
          if (arg && mentions.filter((m) => m === word).length > 1) this.uses.set(arg, 2);
          const scales = op.linear?.includes(word) ?? /[*/]/.test(op.wgsl);
          return word === '_T_' ? type : arg ? this.operand(arg, scales, scope) : word;
        });
        return op.wgsl === op.params[0] ? text : `(${text})`;
      }
      default:
        return this.value(expr, scope);
    }
  }

  /** A factor that is written as 0 makes a device's compiler forget the other one, which may be NaN. */
  private operand(arg: Expr, scales: boolean, scope: Scope): string {
    const isZero = arg.kind === 'literal' && isFloat(arg.type) && Object.is(arg.value, 0);
    if (!scales || !isZero) return this.value(arg, scope);
    this.preludes.add(ZERO);
    return 'zero';
  }

  private element(slot: number, load: Extract<Expr, { kind: 'load' }>, scope: Scope): string {
    if (this.quads.has(slot)) return this.component(slot, load, scope);
    if (this.buffers[slot]?.uniform === undefined) return `b${slot}[${this.at.index(load.index)}]`;
    const [vector, part] = uniformPlace(load.index);
    return `b${slot}[${this.at.index(vector)}][${this.at.index(part)}]`;
  }

  /** A part of a vector, which is loaded once. */
  private component(slot: number, { index, free, origin }: Extract<Expr, { kind: 'load' }>, scope: Scope): string {
    const { vector, component } = quadPlace(index);
    const key = `${slot}:${vector.key}`;
    const token = this.vectors.get(key) ?? { key };
    this.vectors.set(key, token);
    let name = scope.find(token);
    if (name === undefined) {
      name = this.name('q');
      const home = scope.home(free);
      home.line(`let ${name} = b${slot}[${this.at.index(vector)}];`, origin);
      home.names.set(token, name);
    }
    return `${name}[${component}]`;
  }

  /** In a block of its own, since copies of one expression bind one axis to several values. */
  private bind(expr: Extract<Expr, { kind: 'bind' }>, scope: Scope, name: string): void {
    const { as, value, body } = expr;
    const place = this.value(value, scope);
    scope.line(`var ${name}: ${dtypes[expr.type].wgsl};`, expr.origin);
    const inner = new Scope(scope);
    inner.bound.add(as.key);
    // A negative place is a very large one without its sign.
    inner.line(`let ${as.key} = i32(min(u32(${place}), u32(${this.p.int(as.extent - 1)})));`, expr.origin);
    inner.line(`${name} = ${this.value(body, inner)};`, body.origin);
    scope.block('{', inner);
  }

  private segment(
    { over, first, last, body, type, origin }: Extract<Expr, { kind: 'segment' }>,
    scope: Scope,
    name: string,
  ): void {
    const [from, to] = [first, last].map((e) => this.value(e, scope));
    scope.line(`var ${name} = ${dtypes[type].wgsl}(0);`, origin);
    const inner = new Scope(scope);
    inner.bound.add(over.key);
    inner.line(`${name} += ${this.value(body, inner)};`, body.origin);
    scope.block(`for (var ${over.key} = ${from ?? '0'}; ${over.key} < ${to ?? '0'}; ${over.key}++) {`, inner);
  }

  private branch(expr: Extract<Expr, { kind: 'select' }>, scope: Scope, name: string): void {
    // What both arms compute is computed before them, or a chain of conditions would double at each.
    for (const shared of neededByBoth(expr)) this.value(shared, scope);
    // Too deep for one more arm in an arm: the other is computed here, though it may not be needed, and then replaced.
    const flat = scope.depth > DEEPEST_BLOCKS ? ` = ${this.value(expr.no, scope)}` : '';
    scope.line(`var ${name}: ${dtypes[expr.type].wgsl}${flat};`, expr.origin);
    const arm = (value: Expr): Scope => {
      const inner = new Scope(scope, true);
      this.sums.write(inner, outermostSums([value]));
      inner.line(`${name} = ${this.value(value, inner)};`, value.origin);
      return inner;
    };
    const head = `if (${this.at.condition(expr.when)}) {`;
    const yes = arm(expr.yes);
    if (flat) return scope.block(head, yes);
    scope.block(head, yes, '} else {');
    scope.append(arm(expr.no), '}');
  }

  name(prefix: string): string {
    return `${prefix}${this.temporaries++}`;
  }

  literal(value: number, type: DType): string {
    return literalText(this, value, type);
  }
}

/** How deep brackets stand in each other. */
function nesting(text: string): number {
  let [depth, most] = [0, 0];
  for (const c of text) {
    if (c === '(') most = Math.max(most, ++depth);
    else if (c === ')') depth--;
  }
  return most;
}
